using Maplog.Events;
using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>
/// A pinned map that is kept equal to a stream, with the cursor pinned next to it. Every batch is between <see cref="Begin"/> and <see
/// cref="Commit"/>, so that a process that opens both maps after a crash knows the content of the map.
/// </summary>
public sealed class ReplicaMap : IDisposable
{
    private const string CursorName = "maplog_cursor";

    private readonly BpfMap _cursorMap;
    private readonly byte[] _bytes = new byte[CursorRecord.Size];
    private readonly byte[] _zero = new byte[sizeof(uint)];
    private CursorRecord _record;

    private ReplicaMap(string pin, StreamName stream, MapOpened opened, BpfMap map, BpfMap cursorMap)
    {
        Pin = pin;
        Stream = stream;
        Shape = opened.Shape;
        IsSourceFrozen = opened.Frozen;
        Map = map;
        _cursorMap = cursorMap;
        Pins = new ReplicaPins(pin, map, cursorMap);
    }

    public string Pin { get; }

    public StreamName Stream { get; }

    /// <summary>The shape from the log, which is the shape of the map.</summary>
    public MapShape Shape { get; }

    public BpfMap Map { get; }

    /// <summary>Whether other programs find the map at its pin.</summary>
    public ReplicaPins Pins { get; }

    /// <summary>Whether the source's map was frozen when this map was opened.</summary>
    public bool IsSourceFrozen { get; }

    /// <summary>Everything up to this version is in the map; (0, 0): unknown, build the map from the log.</summary>
    public Cursor Cursor => _record.Cursor;

    /// <summary>Some changes up to this version may be in the map; equal to the cursor if no batch was interrupted.</summary>
    public Cursor Intent => _record.Intent;

    public static string CursorPin(string pin) => pin + "_cursor";

    /// <summary>
    /// Opens the replica at <paramref name="pin"/>, or makes it as the log describes it. The map of a cursor that is missing,
    /// or another map's, or another stream's, is taken as it is and must be built from the log. It is registered before it is
    /// pinned: a map that is no replica yet is nobody's to see.
    /// </summary>
    /// <param name="pin">Path on a bpffs.</param>
    /// <param name="stream">What it is a replica of.</param>
    /// <param name="opened">The log's latest description.</param>
    /// <param name="registry">Where captures of this host look what is a replica.</param>
    /// <param name="replace">
    /// Whether an own replica of another shape is replaced by a new map; another's never is. If not, a map of another kind of
    /// hash serves as it is where it can hold the stream (<see cref="ReplicaShape.CanHold"/>).
    /// </param>
    /// <param name="renew">Whether the map is to be written from the beginning: an own replica that is frozen is then replaced by a new map.</param>
    /// <exception cref="ReplicaException">What is pinned there cannot be the replica.</exception>
    public static ReplicaMap Open(string pin, StreamName stream, MapOpened opened, WriterRegistry registry, bool replace = false, bool renew = false)
    {
        ReplicaShape.CheckHost(stream, opened.Shape);
        Bpffs.EnsureMounted(Path.GetDirectoryName(Path.GetFullPath(pin))!);
        BpfMap? map = null, cursorMap = null;
        try
        {
            map = File.Exists(pin) ? BpfMap.OpenPinned(pin) : Make(pin, stream, opened, registry, replace: false);
            var kept = ReadCursor(pin);
            var own = kept is { } record && record.MapId == map.Info.Id && record.StreamHash == CursorRecord.HashOf(stream);
            Check(pin, stream, opened, map.Info, kept);
            var fits = ReplicaShape.Fits(map.Info, opened.Shape);
            if (!fits && !(replace && own) && !ReplicaShape.CanHold(map.Info, opened.Shape))
                throw OtherShape(pin, stream, map.Info, opened.Shape, own);
            var isLocked = map.IsFrozen() && (renew || !own || kept!.Value.Cursor.Version == StreamVersion.None);
            if (isLocked && !own)
                throw new ReplicaException($"The map pinned at {pin} is frozen, so no replicator can write it: remove that pin, or choose another pin.");
            if (isLocked || !fits && replace && own)
            {
                map.Dispose();
                map = Make(pin, stream, opened, registry, replace: true);
                own = false;
            }
            registry.AddReplica(map.Info.Id, stream);
            cursorMap = OpenCursor(CursorPin(pin));
            var replica = new ReplicaMap(pin, stream, opened, map, cursorMap);
            replica.Write(own
                ? kept!.Value with { Keeper = ProcessIdentity.Current }
                : new CursorRecord(map.Info.Id, CursorRecord.HashOf(stream), default, default, default, ProcessIdentity.Current));
            return replica;
        }
        catch
        {
            map?.Dispose();
            cursorMap?.Dispose();
            throw;
        }
    }

    /// <summary>Notes that everything up to <paramref name="end"/> is about to be applied.</summary>
    public void Begin(Cursor end) => Write(_record with { Intent = end });

    /// <summary>Notes that everything up to the intent has been applied.</summary>
    /// <param name="time">Time of the last event.</param>
    public void Commit(DateTimeOffset time) => Write(_record with { Cursor = _record.Intent, Time = time });

    /// <summary>Notes that the map's content is unknown from now on, until the next commit.</summary>
    public void Forget() => Write(_record with { Cursor = default, Intent = default, Level = 0 });

    /// <summary>Notes that at an earlier time the log had no event that is not in the map now.</summary>
    /// <param name="boot">ns since boot, including suspended time.</param>
    public void NoteLevel(long boot) => Write(_record with { Level = CursorRecord.LevelAt(boot) });

    public void Dispose()
    {
        Map.Dispose();
        _cursorMap.Dispose();
    }

    /// <summary>Reads the cursor pinned next to a replica, for readers of its position; null if there is none.</summary>
    public static CursorRecord? ReadCursor(string pin)
    {
        if (!File.Exists(CursorPin(pin)))
            return null;
        using var map = BpfMap.OpenPinned(CursorPin(pin), MapAccess.Read);
        if (!IsCursor(map.Info))
            return null;
        var bytes = new byte[CursorRecord.Size];
        return map.Lookup(new byte[sizeof(uint)], bytes) ? CursorRecord.Read(bytes) : null;
    }

    /// <summary>The cursors of all replicas of this host, found by their maps, wherever they are pinned.</summary>
    public static IReadOnlyList<CursorRecord> ReadCursors()
    {
        var cursors = new List<CursorRecord>();
        var bytes = new byte[CursorRecord.Size];
        foreach (var info in BpfMap.All().Where(m => m.Name == CursorName && IsCursor(m)))
        {
            // Null: the map was just closed, or may not be opened any more.
            using var map = BpfMap.TryOpenById(info.Id, MapAccess.Read, out _);
            if (map is not null && map.Lookup(new byte[sizeof(uint)], bytes) && CursorRecord.Read(bytes) is { } record)
                cursors.Add(record);
        }
        return cursors;
    }

    /// <summary>
    /// While the stream is logged from the map that is pinned there, notes that nothing is fresher; and that the map must be built again
    /// when it becomes a replica, because it may contain changes that were never logged.
    /// </summary>
    public static void NoteSource(string pin, StreamName stream)
    {
        using var map = BpfMap.OpenPinned(pin, MapAccess.Read);
        using var cursor = OpenCursor(CursorPin(pin));
        var bytes = new byte[CursorRecord.Size];
        new CursorRecord(map.Info.Id, CursorRecord.HashOf(stream), default, default, default, ProcessIdentity.Current, CursorRecord.LevelAt(Boot.Now())).Write(bytes);
        cursor.Update(new byte[sizeof(uint)], bytes);
    }

    /// <summary>
    /// Whether the stream is logged from the map that is pinned there: then this node writes the source, and nothing must be rebuilt.
    /// </summary>
    public static bool IsSource(string pin, MapOpened generation)
    {
        if (generation.BootId != Boot.Id || !File.Exists(pin))
            return false;
        try
        {
            using var map = BpfMap.OpenPinned(pin, MapAccess.Read);
            return map.Info.Id == generation.MapId;
        }
        catch (KernelException)
        {
            return false; // gone in this moment, or no map: opening it for writing tells
        }
    }

    private static void Check(string pin, StreamName stream, MapOpened opened, MapInfo info, CursorRecord? kept)
    {
        if (info.Id == opened.MapId && Boot.Id == opened.BootId)
            throw new ReplicaException($"The pin {pin} holds the map from which stream {stream} is logged: a replica needs its own map. Choose another pin.");
        if (kept is { } record && record.MapId == info.Id && record.Keeper != ProcessIdentity.Current && record.Keeper.IsAlive)
            throw new ReplicaException($"Process {record.Keeper.Tgid} maintains the replica {pin}: only one replicator can maintain a replica. Stop the other replicator, or choose another pin.");
    }

    private void Write(CursorRecord record)
    {
        record.Write(_bytes);
        _cursorMap.Update(_zero, _bytes);
        _record = record;
    }

    private static BpfMap Make(string pin, StreamName stream, MapOpened opened, WriterRegistry registry, bool replace)
    {
        var shape = opened.Shape;
        var map = registry.MakeReplica(stream, () => BpfMap.Create(opened.Name, (MapType)shape.Type, shape.KeySize, shape.ValueSize, shape.MaxEntries, (uint)shape.Flags));
        try
        {
            map.Pin(pin, replace);
            return map;
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    private static BpfMap OpenCursor(string pin)
    {
        if (File.Exists(pin))
        {
            var map = BpfMap.OpenPinned(pin);
            if (IsCursor(map.Info))
                return map;
            map.Dispose();
            throw new ReplicaException($"The pin {pin} is for the replica's cursor, but it holds {ReplicaShape.Describe(map.Info)}: remove it, or choose another pin for the replica.");
        }
        var made = BpfMap.Create(CursorName, MapType.Array, sizeof(uint), CursorRecord.Size, 1);
        try
        {
            made.Pin(pin);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    internal static bool IsCursor(MapInfo info) => info is { Type: MapType.Array, KeySize: sizeof(uint), ValueSize: CursorRecord.Size, MaxEntries: 1 };

    private static ReplicaException OtherShape(string pin, StreamName stream, MapInfo info, MapShape wanted, bool own) => new(
        $"The map pinned at {pin} is {ReplicaShape.Describe(info)}, but stream {stream} needs {ReplicaShape.Describe(wanted)}: "
        + (own ? "it was this stream's replica before the source's map changed; to replace it, set OnNewShape to Recreate, or remove the pin." : "choose another pin, or remove that pin."));
}
