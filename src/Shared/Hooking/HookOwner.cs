using System.Buffers.Binary;
using System.Text;

namespace Maplog.Hooking;

/// <summary>
/// The capture to which a folder of pins belongs, from its signature in a map pinned there: a process in another container has no other way
/// to know it. Numbers are in this machine's byte order.
/// </summary>
/// <param name="Log">The log of the hook's records; empty: a hook of an earlier maplog, which did not sign.</param>
/// <param name="Claim">A random number of this signature: another process signs with another number.</param>
/// <param name="Tgid">Thread group id of the process, in its own pid namespace.</param>
/// <param name="Epoch">The process' latest term as the source's writer.</param>
/// <param name="PidNamespace">Inode number of that namespace.</param>
/// <param name="AliveAt">When the process last ran, ns since boot.</param>
/// <param name="Node">The name of its host in the log.</param>
/// <param name="Place">The readable name of the log.</param>
public sealed record HookOwner(Guid Log, Guid Claim, int Tgid, int Epoch, ulong PidNamespace, long AliveAt, string Node, string Place)
{
    /// <summary>Bytes of a signature in the map.</summary>
    public const int Size = 512;

    private const int ClaimAt = 16, TgidAt = 32, EpochAt = 36, NamespaceAt = 40, AliveAtAt = 48, NodeAt = 56, PlaceAt = 120;

    /// <summary>The pid namespace of this process.</summary>
    public static ulong OwnPidNamespace { get; } = NumberIn(new FileInfo("/proc/self/ns/pid").LinkTarget);

    public static HookOwner Read(ReadOnlySpan<byte> bytes) => new(
        new Guid(bytes[..ClaimAt]), new Guid(bytes[ClaimAt..TgidAt]), BinaryPrimitives.ReadInt32LittleEndian(bytes[TgidAt..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[EpochAt..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[NamespaceAt..]),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[AliveAtAt..]), Text(bytes[NodeAt..PlaceAt]), Text(bytes[PlaceAt..Size]));

    public void Write(Span<byte> bytes)
    {
        bytes[..Size].Clear();
        Log.TryWriteBytes(bytes);
        Claim.TryWriteBytes(bytes[ClaimAt..]);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[TgidAt..], Tgid);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[EpochAt..], Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[NamespaceAt..], PidNamespace);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[AliveAtAt..], AliveAt);
        Put(Node, bytes[NodeAt..PlaceAt]);
        Put(Place, bytes[PlaceAt..Size]);
    }

    /// <summary>The process in words.</summary>
    /// <param name="visible">Its number here, if this process can see it: the holder of the folder's lock.</param>
    public string Describe(int? visible)
    {
        var here = visible ?? (PidNamespace == OwnPidNamespace ? Tgid : null);
        return here is { } process
            ? $"process {process} of node {Node}"
            : $"a process in another container (node {Node}, process {Tgid} by that container's own numbers)";
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    // Cut to the available bytes, between characters.
    private static void Put(string text, Span<byte> room) =>
        Encoding.UTF8.GetEncoder().Convert(text, room, flush: true, out _, out _, out _);

    // Of "pid:[4026531836]".
    private static ulong NumberIn(string? link) =>
        ulong.TryParse(link?[(link.IndexOf('[', StringComparison.Ordinal) + 1)..^1], out var number) ? number : 0;
}
