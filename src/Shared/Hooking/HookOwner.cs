using System.Buffers.Binary;
using System.Text;

namespace Maplog.Hooking;

/// <summary>
/// The capture that a folder of pins belongs to, as it signs for itself in a map pinned there: a process of another container
/// has no other way to know it. Numbers are in this machine's byte order.
/// </summary>
/// <param name="Log">The log that the hook's records go to; empty: a hook of an earlier maplog, which did not sign.</param>
/// <param name="Claim">Random, of this one signature: another process signs with another.</param>
/// <param name="Tgid">Thread group id of the process, in its own pid namespace.</param>
/// <param name="Epoch">The process' latest term as the source's writer.</param>
/// <param name="PidNamespace">Inode number of that namespace.</param>
/// <param name="AliveAt">When it last ran, ns since boot.</param>
/// <param name="Node">The name that the log knows its host by.</param>
/// <param name="Place">The log as a person names it.</param>
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
    /// <param name="visible">Its number here, if it can be seen from here: the holder of the folder's lock.</param>
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

    // Cut where it does not fit, between characters.
    private static void Put(string text, Span<byte> room) =>
        Encoding.UTF8.GetEncoder().Convert(text, room, flush: true, out _, out _, out _);

    // Of "pid:[4026531836]".
    private static ulong NumberIn(string? link) =>
        ulong.TryParse(link?[(link.IndexOf('[', StringComparison.Ordinal) + 1)..^1], out var number) ? number : 0;
}
