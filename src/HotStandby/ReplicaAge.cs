using System.Buffers.Binary;
using System.Globalization;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>
/// The maximum age of a replica, from the note of its replicator in the map pinned next to it (<c>PIN_cursor</c>, docs/formats.md): the
/// time at which the log had no event that the replica does not have now. The age grows when the replicator lags, hangs, has lost the log
/// or is dead, so nobody has to notice any of these.
/// </summary>
/// <param name="Age">The age.</param>
/// <param name="Level">The time of the note, in tenths of a second since boot: the same number for all readers.</param>
internal readonly record struct ReplicaAge(TimeSpan Age, uint Level)
{
    public const int CursorSize = 64, MapIdAt = 4, LevelAt = 52;
    public const uint Layout = 1;

    private const long LevelUnit = 100_000_000; // a tenth of a second

    /// <exception cref="StandbyException">The age is unknown, with the reason.</exception>
    public static ReplicaAge Read(string pin)
    {
        var cursorPin = pin + "_cursor";
        if (!File.Exists(pin))
            throw new StandbyException($"nothing is pinned at {pin}: its replicator has not created the replica, or the replica has another pin");
        if (!File.Exists(cursorPin))
            throw new StandbyException($"no replicator maintains the map pinned at {pin}: there is no {cursorPin}");
        uint id;
        using (var replica = BpfMap.OpenPinned(pin, MapAccess.Read))
            id = replica.Info.Id;
        Span<byte> cursor = stackalloc byte[CursorSize], zero = stackalloc byte[sizeof(uint)];
        using (var map = BpfMap.OpenPinned(cursorPin, MapAccess.Read))
        {
            if (map.Info is not { Type: MapType.Array, KeySize: sizeof(uint), ValueSize: CursorSize, MaxEntries: 1 } || !map.Lookup(zero, cursor)
                || BinaryPrimitives.ReadUInt32LittleEndian(cursor) != Layout)
                throw new StandbyException($"{cursorPin} is not a cursor that this version of maplog knows");
        }
        return Of(cursor, pin, id, Boot.Now());
    }

    /// <param name="cursor">The cursor map's value.</param>
    /// <param name="pin">The replica's pin, for the sentence.</param>
    /// <param name="mapId">The id of the map that is pinned there.</param>
    /// <param name="now">ns since boot, including suspended time.</param>
    internal static ReplicaAge Of(ReadOnlySpan<byte> cursor, string pin, uint mapId, long now)
    {
        var kept = BinaryPrimitives.ReadUInt32LittleEndian(cursor[MapIdAt..]);
        if (kept != mapId)
            throw new StandbyException(string.Create(CultureInfo.InvariantCulture, $"the map pinned at {pin} has id {mapId}, but its replicator maintains the map with id {kept}"));
        var level = BinaryPrimitives.ReadUInt32LittleEndian(cursor[LevelAt..]);
        if (level == 0)
            throw new StandbyException($"the replica {pin} has not been level with its log yet");
        return new ReplicaAge(Since(level, now), level);
    }

    /// <param name="level">The time of a note.</param>
    /// <param name="now">ns since boot, including suspended time.</param>
    internal static TimeSpan Since(uint level, long now) => TimeSpan.FromTicks(Math.Max(0, now - level * LevelUnit) / TimeSpan.NanosecondsPerTick);
}
