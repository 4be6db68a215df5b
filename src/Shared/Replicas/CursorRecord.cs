using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Maplog.Events;

namespace Maplog.Replicas;

/// <summary>
/// What is kept in the one entry of the map pinned beside a replica (<c>PIN_cursor</c>, BPF array), little-endian:
/// <code>
/// offset size
///      0    4  layout, 1
///      4    4  kernel id of the replica's map: of no other map is this the cursor
///      8    8  first 8 bytes of the SHA-256 of the stream's name
///     16    8  version: all up to here is in the map
///     24    4  epoch of that version
///     28    4  epoch of the intent
///     32    8  version of the intent: some of what is up to here may be in the map
///     40    8  time of the event at the cursor, 100 ns since year 1, UTC
///     48    4  thread group that keeps the replica
///     52    4  level: tenths of a second from boot, suspended time included, to the moment at which the log had nothing that is not in the map; 0: not known
///     56    8  its start, clock ticks since boot
/// </code>
/// Map and cursor share one fate: both are gone after a reboot.
/// </summary>
/// <param name="MapId">Kernel id of the replica's map.</param>
/// <param name="StreamHash">See <see cref="HashOf"/>.</param>
/// <param name="Cursor">All up to here is in the map.</param>
/// <param name="Intent">Noted before a batch is applied; equal to the cursor after it.</param>
/// <param name="Time">Time of the event at the cursor.</param>
/// <param name="Keeper">The replicator.</param>
/// <param name="Level">See <see cref="LevelAt"/>; versions of maplog that did not know of it wrote 0.</param>
public readonly record struct CursorRecord(uint MapId, ulong StreamHash, Cursor Cursor, Cursor Intent, DateTimeOffset Time, ProcessIdentity Keeper, uint Level = 0)
{
    public const uint Layout = 1;
    public const int Size = 64;

    private const long LevelUnit = 100_000_000;

    /// <summary>A time as a level, rounded down.</summary>
    /// <param name="boot">ns since boot, including suspended time.</param>
    public static uint LevelAt(long boot) => (uint)(boot / LevelUnit);

    public static ulong HashOf(StreamName stream) => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.ASCII.GetBytes(stream.ToString())));

    /// <summary>Null: never written, or written by a version of maplog with another layout.</summary>
    public static CursorRecord? Read(ReadOnlySpan<byte> bytes)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Layout)
            return null;
        return new CursorRecord(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            new Cursor(new Epoch(BinaryPrimitives.ReadInt32LittleEndian(bytes[24..])), new StreamVersion(BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]))),
            new Cursor(new Epoch(BinaryPrimitives.ReadInt32LittleEndian(bytes[28..])), new StreamVersion(BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]))),
            new DateTimeOffset(BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]), TimeSpan.Zero),
            new ProcessIdentity(BinaryPrimitives.ReadUInt32LittleEndian(bytes[48..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[56..])),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[52..]));
    }

    public void Write(Span<byte> bytes)
    {
        bytes[..Size].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Layout);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], MapId);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], StreamHash);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], Cursor.Version.Value);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[24..], Cursor.Epoch.Value);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[28..], Intent.Epoch.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[32..], Intent.Version.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[40..], Time.UtcTicks);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[48..], Keeper.Tgid);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[52..], Level);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[56..], Keeper.StartTicks);
    }
}
