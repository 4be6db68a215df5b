using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Maplog.Bus;
using Maplog.Capture.Pipeline;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Observing;

namespace Maplog.Capture.Observing;

/// <summary>
/// The daemon's instruments. Those of changes are read off counters when somebody collects, so that a change costs an addition;
/// those of commits and blocks are recorded as they happen.
/// </summary>
internal sealed class CaptureMetrics : IDisposable
{
    public const string MeterName = "Maplog.Capture";

    private static readonly Origin[] Hooked = [Origin.Program, Origin.Syscall, Origin.Eviction], Corrected = [Origin.Scan, Origin.ReadBack, Origin.InPlace];

    private readonly Meter _meter = new(MeterName);
    private readonly ConcurrentDictionary<string, StreamCounters> _streams = [];
    private readonly Histogram<double> _commits, _publishes;
    private readonly Lock _ringLock = new();
    private RingReader? _ring;
    private long _committed;

    public CaptureMetrics(CaptureHealth health, BatchFeed feed, BusPublisher bus)
    {
        _meter.CreateObservableCounter("maplog.capture.changes", () => PerOrigin(Hooked), "{change}", "Changes that the hook recorded.");
        _meter.CreateObservableCounter("maplog.capture.corrections", () => PerOrigin(Corrected), "{change}", "Changes without a record: found by a scan, or by reading back keys whose order was uncertain.");
        _meter.CreateObservableCounter("maplog.capture.lost", () => PerReason(g => g.Lost, isSkip: false), "{change}", "Changes known not to have been recorded.");
        _meter.CreateObservableCounter("maplog.capture.skipped", () => PerReason(g => g.Lost, isSkip: true), "{call}", "Calls for which the kernel did not run the hook.");
        _meter.CreateObservableCounter("maplog.capture.gaps", () => PerReason(g => g.Gaps), "{gap}", "Gap events logged.");
        _meter.CreateObservableCounter("maplog.capture.ambiguous", () => PerStream(s => s.Ambiguous), "{key}", "Keys that several CPUs changed at about the same time, and that were read back.");
        _meter.CreateObservableCounter("maplog.capture.scans", Scans, "{scan}", "Whole scans of a map.");
        _meter.CreateObservableCounter("maplog.capture.walks", () => PerStream(s => s.Walks), "{walk}", "Whole walks over a map's elements in the kernel.");
        _meter.CreateObservableCounter("maplog.capture.walked", () => PerStream(s => s.WalkedElements), "{element}", "Elements that walks looked at.");
        _meter.CreateObservableGauge("maplog.capture.walk.interval", () => Intervals(), "s", "From one look at the whole map to the next: after this time a change in place is found.");
        _meter.CreateObservableGauge("maplog.capture.entries", () => PerStream(s => s.Entries?.Count), "{entry}", "Entries of the map, as the log has it.");
        _meter.CreateObservableGauge("maplog.capture.max.entries", () => PerStream(s => s.MaxEntries), "{entry}", "Entries for which the map has room.");
        _meter.CreateObservableCounter("maplog.capture.committed", () => Interlocked.Read(ref _committed), "{event}", "Events committed to the log.");
        _commits = _meter.CreateHistogram("maplog.capture.commit.duration", "s", "From the first try of a commit to its success.", null, DurationBuckets.Advice);
        _meter.CreateObservableGauge("maplog.capture.log.up", () => health.IsLogThere ? 1 : 0, "1", "Whether commits succeed.");
        _meter.CreateObservableGauge("maplog.capture.ring.usage", () => Ring(r => (long)(r.ProducerPosition - r.ConsumerPosition)), "By", "Bytes in the ring that are not committed yet.");
        _meter.CreateObservableGauge("maplog.capture.ring.limit", () => Ring(r => (long)r.Size), "By", "Size of the ring.");
        _meter.CreateObservableCounter("maplog.capture.bus.published", () => bus.PublishedBlocks, "{block}", "Blocks that RabbitMQ has confirmed.");
        _meter.CreateObservableCounter("maplog.capture.bus.dropped", () => Dropped(feed, bus), "{block}", "Blocks that were not sent, and that replicas read from the log.");
        _meter.CreateObservableGauge("maplog.capture.bus.up", () => bus.IsConnected ? 1 : 0, "1", "Whether RabbitMQ is connected.");
        _publishes = _meter.CreateHistogram("maplog.capture.bus.publish.duration", "s", "From sending a message to RabbitMQ's confirmation.", null, DurationBuckets.Advice);
    }

    /// <summary>The counters of a stream, the same in every term of this process.</summary>
    public StreamCounters Of(StreamName stream) => _streams.GetOrAdd(stream.ToString(), name => new StreamCounters(name));

    /// <summary>A batch is in the log.</summary>
    public void Committed(int events, TimeSpan took)
    {
        Interlocked.Add(ref _committed, events);
        _commits.Record(took.TotalSeconds);
    }

    /// <summary>RabbitMQ has a message.</summary>
    public void Published(TimeSpan took) => _publishes.Record(took.TotalSeconds);

    /// <summary>Shows the ring, until what is returned is disposed: before the ring, whose memory goes with it.</summary>
    public IDisposable Show(RingReader ring)
    {
        lock (_ringLock)
            _ring = ring;
        return new Shown(this);
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Tag(string name, string value) => new($"maplog.{name}", value);

    private static string Word(Origin origin) => origin switch
    {
        Origin.ReadBack => "read-back",
        Origin.InPlace => "in-place",
        _ => origin.ToString().ToLowerInvariant(),
    };

    private IEnumerable<Measurement<long>> PerOrigin(Origin[] origins)
    {
        foreach (var stream in _streams.Values)
        {
            foreach (var origin in origins)
                yield return new Measurement<long>(stream.Changes(origin), Tag("stream", stream.Stream), Tag("origin", Word(origin)));
        }
    }

    private IEnumerable<Measurement<long>> PerReason(Func<GapCounter, long> count, bool? isSkip = null)
    {
        foreach (var stream in _streams.Values)
        {
            foreach (var (reason, gaps) in stream.Gaps)
            {
                if (isSkip is null || reason == "skipped" == isSkip)
                    yield return new Measurement<long>(count(gaps), Tag("stream", stream.Stream), Tag("reason", reason));
            }
        }
    }

    private IEnumerable<Measurement<long>> PerStream(Func<StreamCounters, long?> count)
    {
        foreach (var stream in _streams.Values)
        {
            if (count(stream) is { } number)
                yield return new Measurement<long>(number, Tag("stream", stream.Stream));
        }
    }

    private IEnumerable<Measurement<double>> Intervals()
    {
        foreach (var stream in _streams.Values)
        {
            if (stream is { Entries: not null, WalkInterval: { } interval })
                yield return new Measurement<double>(interval / 1e9, Tag("stream", stream.Stream));
        }
    }

    private IEnumerable<Measurement<long>> Scans()
    {
        foreach (var stream in _streams.Values)
        {
            yield return new Measurement<long>(stream.Scans, Tag("stream", stream.Stream), Tag("kind", "full"));
            yield return new Measurement<long>(stream.Sweeps, Tag("stream", stream.Stream), Tag("kind", "background"));
        }
    }

    private static IEnumerable<Measurement<long>> Dropped(BatchFeed feed, BusPublisher bus) =>
    [
        new(feed.Dropped, Tag("reason", "queue-full")),
        new(bus.DroppedBlocks, Tag("reason", "not-sent")),
    ];

    private IEnumerable<Measurement<long>> Ring(Func<RingReader, long> read)
    {
        lock (_ringLock)
            return _ring is null ? [] : [new Measurement<long>(read(_ring))];
    }

    private sealed class Shown(CaptureMetrics metrics) : IDisposable
    {
        public void Dispose()
        {
            lock (metrics._ringLock)
                metrics._ring = null;
        }
    }
}
