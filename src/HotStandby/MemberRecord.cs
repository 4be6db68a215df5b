using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Maplog.HotStandby;

/// <summary><c>struct standby_member</c> of <c>bpf/hot_standby.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MemberRecord
{
    /// <summary>A value of <see cref="Eligible"/>: forever.</summary>
    public const ulong Always = ulong.MaxValue;

    public ulong Incarnation;
    public ulong Timeout;
    public ulong Eligible;
    public uint Rank;
    public uint Weight;
    public uint Draining;
    public uint Unhealthy;
    public uint Seed;
    public uint NoBeat;
    public uint Level;
    public uint Pid;
    public ulong Joined;
    public MemberName Name;
    public uint Ordered;
    public uint Unused0;
    public ulong Unused1;
    public ulong Unused2;

    /// <summary>char[40], zeros after the name.</summary>
    [InlineArray(Length)]
    public struct MemberName
    {
        public const int Length = 40;
        private byte _first;

        public void Set(string name)
        {
            Span<byte> bytes = this;
            bytes.Clear();
            Encoding.ASCII.GetBytes(name, bytes);
        }

        public override readonly string ToString()
        {
            ReadOnlySpan<byte> bytes = this;
            int end = bytes.IndexOf((byte)0);
            return Encoding.ASCII.GetString(end < 0 ? bytes : bytes[..end]);
        }
    }
}
