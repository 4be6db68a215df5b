using System.Runtime.InteropServices;
using System.Text;

namespace Maplog.Hooking;

/// <summary>struct maplog_record of bpf/record.h, field by field; the keys and then the values follow it. A unit test compares the two.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RecordHeader
{
    public const int Size = 56;

    public ulong Time;
    public uint MapId;
    public RecordOperation Operation;
    public byte Origin;
    public RecordFlags Flags;
    public uint Cpu;
    public uint ValueCpu;
    public uint Tgid;
    public uint Count;
    public uint KeySize;
    public uint ValueSize;
    public fixed byte Comm[16];

    /// <summary>The header at the beginning of a ring record.</summary>
    public static ref readonly RecordHeader Of(ReadOnlySpan<byte> record) => ref MemoryMarshal.AsRef<RecordHeader>(record);

    /// <summary>The comm's bytes up to its end.</summary>
    public static ReadOnlySpan<byte> CommOf(ReadOnlySpan<byte> record)
    {
        var comm = record.Slice(Size - 16, 16);
        var end = comm.IndexOf((byte)0);
        return end < 0 ? comm[..15] : comm[..end];
    }
}

public enum RecordOperation : byte
{
    Update = 1,
    Delete = 2,
    Evict = 3,
    MapSeen = 4,
}

[Flags]
public enum RecordFlags : ushort
{
    None = 0,
    OneCpu = 1,
    AllCpus = 2,
    Unsure = 4,
}

/// <summary>struct maplog_map_seen of bpf/record.h: the first operation on a map with a watched name.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct MapSeen
{
    public const int Size = 36;

    public uint Type;
    public uint KeySize;
    public uint ValueSize;
    public uint MaxEntries;
    public uint MapFlags;
    private fixed byte _name[16];

    public static ref readonly MapSeen Of(ReadOnlySpan<byte> record) => ref MemoryMarshal.AsRef<MapSeen>(record[RecordHeader.Size..]);

    public readonly string Name
    {
        get
        {
            fixed (byte* name = _name)
            {
                var bytes = new ReadOnlySpan<byte>(name, 16);
                var end = bytes.IndexOf((byte)0);
                return Encoding.ASCII.GetString(end < 0 ? bytes : bytes[..end]);
            }
        }
    }
}

/// <summary>struct maplog_losses of bpf/record.h: changes that did not reach the ring, since the ring was created.</summary>
[StructLayout(LayoutKind.Sequential)]
public record struct Losses(ulong RingFull, ulong Unreadable, ulong TooLong)
{
    public const int Size = 24;

    public readonly ulong Total => RingFull + Unreadable + TooLong;
}
