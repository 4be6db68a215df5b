using System.Buffers.Binary;
using System.Diagnostics;
using Maplog.Bus;
using Maplog.Events;

namespace Maplog.BusLag;

/// <summary>Sends updates of 24-byte keys and 64-byte values one way, and notes when each event arrives.</summary>
internal sealed class Measurement(IWay way, StreamName stream)
{
    private const int KeySize = 24, ValueSize = 64;
    private static readonly TimeSpan Flush = TimeSpan.FromMilliseconds(5), WarmUp = TimeSpan.FromSeconds(2);

    private readonly List<double> _lags = [];
    private readonly byte[] _key = new byte[KeySize];
    private readonly byte[] _value = new byte[ValueSize];
    private long _next = 1;
    private long _received;
    private long _disordered;

    public void Arrived(ReadOnlyMemory<byte> bytes)
    {
        if (!ChangeBlock.TryRead(bytes, out var block, out var problem))
            throw new InvalidDataException(problem);
        _disordered += block.First.Value == _next ? 0 : 1;
        _next = block.Last.Value + 1;
        var now = Stopwatch.GetTimestamp();
        foreach (var change in block)
        {
            // The value carries the moment at which the event happened; 0: it does not count.
            if (BinaryPrimitives.ReadInt64LittleEndian(change.Value) is > 0 and var happened)
                _lags.Add((now - happened) * 1e3 / Stopwatch.Frequency);
        }
        Interlocked.Add(ref _received, block.Count);
    }

    /// <summary>Milliseconds from an event to its arrival, at so many events a second in blocks of what has come within 5 ms.</summary>
    public async Task<(double P50, double P99)> LagAsync(int rate, TimeSpan duration)
    {
        _lags.Clear();
        using var writer = new ChangeBlockWriter();
        using var timer = new PeriodicTimer(Flush);
        var begin = Stopwatch.GetTimestamp();
        var first = _next;
        for (long made = 0; await timer.WaitForNextTickAsync();)
        {
            var passed = Stopwatch.GetElapsedTime(begin);
            if (passed > duration + WarmUp)
                break;
            var due = (long)(passed.TotalSeconds * rate);
            if (due == made)
                continue;
            writer.Begin(stream, new Epoch(1), new StreamVersion(first + made), KeySize, ValueSize);
            for (; made < due; made++)
                Add(writer, made < rate * WarmUp.TotalSeconds ? 0 : begin + made * Stopwatch.Frequency / rate);
            await way.SendAsync(writer.Finish(DateTimeOffset.UnixEpoch));
        }
        await Task.Delay(1000);
        _lags.Sort();
        Check();
        return (_lags[_lags.Count / 2], _lags[_lags.Count * 99 / 100]);
    }

    /// <summary>Events a second, as fast as they go.</summary>
    public async Task<double> MostAsync(int blockSize, TimeSpan duration)
    {
        using var writer = new ChangeBlockWriter();
        var begin = Stopwatch.GetTimestamp();
        var (version, before) = (_next, Interlocked.Read(ref _received));
        var first = version;
        while (Stopwatch.GetElapsedTime(begin) < duration)
        {
            writer.Begin(stream, new Epoch(1), new StreamVersion(version), KeySize, ValueSize);
            for (var i = 0; i < blockSize; i++, version++)
                Add(writer, 0);
            await way.SendAsync(writer.Finish(DateTimeOffset.UnixEpoch));
        }
        while (Interlocked.Read(ref _received) - before < version - first)
            await Task.Delay(1);
        Check();
        return (version - first) / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private void Add(ChangeBlockWriter writer, long happened)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_value, happened);
        writer.AddChange(EventKind.EntryUpdated, _key, _value);
    }

    private void Check()
    {
        if (_disordered > 0)
            throw new InvalidOperationException($"{way.Name}: {_disordered} blocks came out of order.");
    }
}
