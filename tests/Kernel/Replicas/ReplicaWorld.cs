using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Tests.Kernel.Replicas;

/// <summary>A stream that is written by hand, and the pins of its replica.</summary>
internal sealed class ReplicaWorld : IDisposable
{
    private readonly PinFolder _pins = new();
    private readonly List<LoggedEvent> _log = [];
    private int _epoch = 1;

    public ReplicaWorld(MapShape shape)
    {
        Registry = WriterRegistry.Open(_pins["registry"]);
        Open(shape);
    }

    public static StreamName Stream { get; } = new("lb-1", "ct_map");

    public WriterRegistry Registry { get; }

    public string Pin => _pins["replica"];

    public MapOpened Opened { get; private set; } = null!;

    public StreamVersion Head => new(_log.Count);

    public static MapShape Hash(int entries = 100, MapType type = MapType.Hash, int flags = 0) =>
        new((int)type, 4, 8, (uint)entries, flags, type.IsPerCpu() ? PossibleCpus.Count : 0);

    public void Open(MapShape shape)
    {
        Note(new EpochStarted(_epoch, "node", "boot", 1));
        Opened = new MapOpened(_epoch++, 7, "boot", "ct_map", shape, null, 0, 0, "fentry", [], "node");
        Note(Opened);
    }

    public ReplicaWorld Put(int key, long value) => Put(Bytes.Of(key), Bytes.Of((int)value, Opened.Shape.ValueBytes));

    public ReplicaWorld Put(byte[] key, byte[] value) => Change(EventKind.EntryUpdated, key, value);

    public ReplicaWorld Delete(int key) => Change(EventKind.EntryDeleted, Bytes.Of(key), []);

    public ReplicaWorld Change(EventKind kind, byte[] key, byte[] value)
    {
        var payload = new byte[ChangePayload.Size(0, key.Length, value.Length)];
        ChangePayload.Write(payload, new ChangeHeader { Epoch = new Epoch(_epoch - 1) }, [], key, value);
        _log.Add(new LoggedEvent(Head.Next, DateTimeOffset.UnixEpoch.AddSeconds(_log.Count), kind, payload));
        return this;
    }

    /// <summary>An update of a per-CPU map that carries the parts in which two values differ.</summary>
    public ReplicaWorld Parts(byte[] key, byte[] before, byte[] after)
    {
        var payload = new byte[ChangePayload.Size(0, key.Length, CpuParts.SizeOf(before, after, Opened.Shape.PartSize)!.Value)];
        ChangePayload.WriteParts(payload, new ChangeHeader { Epoch = new Epoch(_epoch - 1) }, [], key, before, after, Opened.Shape.PartSize);
        _log.Add(new LoggedEvent(Head.Next, DateTimeOffset.UnixEpoch.AddSeconds(_log.Count), EventKind.EntryUpdated, payload));
        return this;
    }

    public ReplicaMap OpenReplica(bool replace = false) => ReplicaMap.Open(Pin, Stream, Opened, Registry, replace);

    /// <summary>Everything after the replica's cursor, or from the beginning if it has none.</summary>
    public PendingChanges Rest(ReplicaMap replica, long? upTo = null)
    {
        var pending = new PendingChanges(Stream, Opened.Shape, replica.Map.Lookup);
        if (replica.Cursor.Version == StreamVersion.None)
            pending.Empty();
        foreach (var logged in _log.Where(e => e.Version > replica.Cursor.Version && e.Version.Value <= (upTo ?? Head.Value)))
            Assert.True(pending.Take(logged));
        return pending;
    }

    public void Apply(ReplicaMap replica, long? upTo = null) => new BatchApplier(replica).Apply(Rest(replica, upTo));

    public LoggedEvent[] Changes() => [.. _log.Where(e => e.Kind.IsChange())];

    /// <summary>The entries of the replica, as hexadecimal words.</summary>
    public static SortedDictionary<string, string> Content(BpfMap map)
    {
        var content = new SortedDictionary<string, string>(StringComparer.Ordinal);
        int keySize = map.Info.KeySize, valueBytes = map.Info.ValueBytes;
        byte[] keys = new byte[64 * keySize], values = new byte[64 * valueBytes];
        var scan = map.Scan(64);
        for (int count; (count = scan.Next(keys, values)) > 0;)
        {
            for (var i = 0; i < count; i++)
                content[Convert.ToHexString(keys, i * keySize, keySize)] = Convert.ToHexString(values, i * valueBytes, valueBytes);
        }
        return content;
    }

    public static SortedDictionary<string, string> Entries(params (int Key, int Value)[] entries) =>
        new(entries.ToDictionary(e => Convert.ToHexString(Bytes.Of(e.Key)), e => Convert.ToHexString(Bytes.Of(e.Value, 8))), StringComparer.Ordinal);

    public void Dispose()
    {
        Registry.Dispose();
        _pins.Dispose();
    }

    private void Note(object note) => _log.Add(new LoggedEvent(Head.Next, DateTimeOffset.UnixEpoch.AddSeconds(_log.Count), NoteCodec.KindOf(note), NoteCodec.Write(note)));
}
