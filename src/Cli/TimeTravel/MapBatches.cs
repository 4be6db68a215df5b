using Maplog.Kernel;

namespace Maplog.Cli.TimeTravel;

/// <summary>
/// Collects changes of a map and gives them to the kernel in batches. One kind of change at a time: flush before the other kind.
/// </summary>
internal sealed class MapBatches(BpfMap map)
{
    private const int BatchBytes = 1 << 20, MostEntries = 4096;

    private readonly int _keySize = map.Info.KeySize, _valueBytes = map.Info.ValueBytes;
    private byte[] _keys = [], _values = [];
    private int _filled;

    /// <summary>Entries of a batch.</summary>
    public int Room { get; } = Math.Clamp(BatchBytes / (map.Info.KeySize + map.Info.ValueBytes), 1, MostEntries);

    /// <summary>Entries given to the kernel so far.</summary>
    public int Done { get; private set; }

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Progress progress, CancellationToken cancellation)
    {
        var at = Next(key);
        value.CopyTo(_values.AsSpan(at * _valueBytes));
        if (_filled == Room)
            FlushPuts(progress, cancellation);
    }

    public void Delete(ReadOnlySpan<byte> key, Progress progress, CancellationToken cancellation)
    {
        Next(key);
        if (_filled == Room)
            FlushDeletes(progress, cancellation);
    }

    public void FlushPuts(Progress progress, CancellationToken cancellation)
    {
        var count = Taken(cancellation);
        Hand(count, progress, () => map.UpdateBatch(_keys, _values, count));
    }

    public void FlushDeletes(Progress progress, CancellationToken cancellation)
    {
        var count = Taken(cancellation);
        Hand(count, progress, () => map.DeleteBatch(_keys, count));
    }

    private int Next(ReadOnlySpan<byte> key)
    {
        if (_keys.Length == 0)
            (_keys, _values) = (new byte[Room * _keySize], new byte[Room * _valueBytes]);
        key.CopyTo(_keys.AsSpan(_filled * _keySize));
        return _filled++;
    }

    private int Taken(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var filled = _filled;
        _filled = 0;
        return filled;
    }

    private void Hand(int count, Progress progress, Func<int> batch)
    {
        try
        {
            batch();
        }
        catch (KernelException e)
        {
            Done += e.Done; // these are in the map, and the message about a half state counts them
            throw;
        }
        Done += count;
        progress.Step(count);
    }
}
