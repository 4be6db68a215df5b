using Maplog.Bus;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Tests.Integration.Log;

namespace Maplog.Tests.Integration.Replicating;

/// <summary>A source's map that exists in the log alone: changed by dice, appended like capture does it, and folded aside to compare with.</summary>
internal sealed class SourceMap(LogWriter writer, string name, MapShape shape) : IDisposable
{
    private readonly StreamHandle _stream = new(StreamName.Parse(name));
    private readonly EventBatch _batch = new();
    private readonly ChangeBlockWriter _block = new();
    private readonly StreamFold _fold = new(StreamName.Parse(name));
    private readonly Random _dice = new(4711);
    private LogWriter _writer = writer;
    private StreamVersion _head;
    private MapShape _shape = shape;
    private int _epoch;

    public StreamName Stream => _stream.Name;

    public StreamVersion Head => _head;

    public Epoch Epoch => new(_epoch);

    public int Count => _fold.Entries.Count;

    /// <summary>A writer's term and a map's life begin.</summary>
    public async Task<ReadOnlyMemory<byte>> OpenAsync(MapShape? shape = null)
    {
        _shape = shape ?? _shape;
        _batch.Clear();
        Note(new EpochStarted(++_epoch, "node", "boot", 1));
        Note(new MapOpened(_epoch, 7, "boot", "ct_map", _shape, null, 0, 0, "fentry", [], "node"));
        return await CommitAsync();
    }

    /// <summary>What follows is appended by another writer, as to the server that a failover made the primary.</summary>
    public void GoOn(LogWriter other) => _writer = other;

    /// <summary>A writer's term begins, the map lives on.</summary>
    public async Task<ReadOnlyMemory<byte>> TakeOverAsync()
    {
        _batch.Clear();
        Note(new EpochStarted(++_epoch, "node", "boot", 1));
        return await CommitAsync();
    }

    /// <summary>Changes entries out of <paramref name="keys"/> possible ones and commits.</summary>
    /// <returns>The block for the bus, valid until the next call.</returns>
    public async Task<ReadOnlyMemory<byte>> ChangeAsync(int count, int keys = 5000)
    {
        _batch.Clear();
        var key = new byte[_shape.KeySize];
        var value = new byte[_shape.ValueBytes];
        for (var i = 0; i < count; i++)
        {
            BitConverter.TryWriteBytes(key, _dice.Next(keys));
            _dice.NextBytes(value);
            var present = _fold.Entries.Contains(key);
            var kind = !present ? EventKind.EntryAdded : _dice.Next(3) == 0 ? EventKind.EntryDeleted : EventKind.EntryUpdated;
            var content = kind.HasValue() ? value : [];
            var payload = _batch.AddChange(_stream, _head.Next, Made.Time, kind, ChangePayload.Size(0, key.Length, content.Length));
            ChangePayload.Write(payload, new ChangeHeader { Epoch = Epoch, Origin = Origin.Program }, [], key, content);
            Advance();
        }
        return await CommitAsync();
    }

    /// <summary>The map is frozen: bpf(2) changes it no more.</summary>
    public async Task FreezeAsync()
    {
        _batch.Clear();
        Note(new MapMoved(_epoch, 7, "boot", "fentry", [], "node", Frozen: true));
        await CommitAsync();
    }

    /// <summary>Closes what there is with a seal, which says what the map holds.</summary>
    public async Task SealAsync()
    {
        _batch.Clear();
        var content = ContentDigest.Of(_fold.Entries, _shape);
        Note(new Sealed(_epoch, 1, _head.Value, new byte[32], content.Entries, content.ToBytes()));
        await CommitAsync();
    }

    /// <summary>Whether the map has exactly the stream's entries.</summary>
    public bool Equals(string pin)
    {
        if (!File.Exists(pin))
            return false;
        using var map = BpfMap.OpenPinned(pin, MapAccess.Read);
        byte[] keys = new byte[1024 * map.Info.KeySize], values = new byte[1024 * map.Info.ValueBytes];
        var (seen, scan) = (0, map.Scan(1024));
        for (int count; (count = scan.Next(keys, values)) > 0; seen += count)
        {
            for (var i = 0; i < count; i++)
            {
                if (!_fold.Entries.TryGet(keys.AsSpan(i * map.Info.KeySize, map.Info.KeySize), out var value) || !value.SequenceEqual(values.AsSpan(i * map.Info.ValueBytes, map.Info.ValueBytes)))
                    return false;
            }
        }
        return seen == Count;
    }

    public void Dispose()
    {
        _batch.Dispose();
        _block.Dispose();
    }

    private void Note(object note)
    {
        _batch.AddNote(_stream, _head.Next, Made.Time, note);
        Advance();
    }

    private void Advance()
    {
        var made = _batch[_batch.Count - 1];
        _head = made.Version;
        _fold.Apply(new LoggedEvent(made.Version, made.Time, made.Kind, made.Note is { } note ? NoteCodec.Write(note) : made.Payload));
    }

    private async Task<ReadOnlyMemory<byte>> CommitAsync()
    {
        await _writer.AppendAsync(_batch);
        _block.Begin(Stream, Epoch, _head + (1 - _batch.Count), _shape);
        for (var i = 0; i < _batch.Count; i++)
        {
            var made = _batch[i];
            _block.Add(new LoggedEvent(made.Version, made.Time, made.Kind, made.Note is { } note ? NoteCodec.Write(note) : made.Payload));
        }
        return _block.Finish(Made.Time);
    }
}
