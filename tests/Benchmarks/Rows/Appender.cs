using System.Diagnostics;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Benchmarks.Rows;

/// <summary>The product's own append, as fast as it goes: one stream, one event for each change.</summary>
internal sealed class Appender(LogWriter writer, Sizes sizes) : IDisposable
{
    private const int Batch = 5000;

    private readonly StreamHandle _stream = new(FilledLog.Stream);
    private readonly EventBatch _batch = new();
    private readonly Changes _changes = new();
    private readonly Random _dice = new(1);
    private long _version;

    public long Count => Volatile.Read(ref _version);

    public static async Task<Appender> OpenAsync(LogStore store, Sizes sizes, CancellationToken cancellation) => new(await LogWriter.OpenAsync(store, "lb-1", cancellation), sizes);

    public void Dispose() => _batch.Dispose();

    /// <returns>Events a second.</returns>
    public async Task<double> AppendAsync(TimeSpan duration, CancellationToken cancellation)
    {
        var (began, first) = (Stopwatch.GetTimestamp(), _version);
        while (Stopwatch.GetElapsedTime(began) < duration)
        {
            _batch.Clear();
            if (_version == 0)
                _batch.AddNote(_stream, new StreamVersion(++_version), DateTimeOffset.UnixEpoch, new MapOpened(1, 7, "boot", "ct_map", FilledLog.Shape(sizes), null, 0, 0, "fentry", [], "node"));
            for (var i = 0; i < Batch; i++)
            {
                _version++;
                _changes.Add(_batch, _stream, _version, DateTimeOffset.UnixEpoch.AddMicroseconds(_version), EventKind.EntryUpdated, _dice.Next(sizes.Entries), _version);
            }
            await writer.AppendAsync(_batch, cancellation);
        }
        return (_version - first) / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
