using System.Diagnostics;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;

namespace Maplog.Benchmarks;

/// <summary>A stream of as many events as the sizes say, over as many keys, each key held at the end.</summary>
internal sealed class FilledLog
{
    private const int Batch = 5000;

    private FilledLog(LogStore store, StreamVersion head) => (Store, Head) = (store, head);

    public LogStore Store { get; }

    public static StreamName Stream { get; } = StreamName.Parse("lb-1/ct_map");

    public StreamVersion Head { get; }

    public string Connection => Store.Database.ConnectionString;

    public static MapShape Shape(Sizes sizes) => new((int)MapType.Hash, Sizes.KeySize, Sizes.ValueSize, (uint)(sizes.Entries + sizes.Entries / 4), 0, 0);

    public static async Task<FilledLog> MakeAsync(LogStore store, Sizes sizes, CancellationToken cancellation)
    {
        var began = Stopwatch.GetTimestamp();
        var writer = await LogWriter.OpenAsync(store, Stream.Source, cancellation);
        var stream = new StreamHandle(Stream);
        using var batch = new EventBatch();
        var time = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        long version = 0;
        batch.AddNote(stream, new StreamVersion(++version), time, new EpochStarted(1, "node", "boot", 7, StartedAt: time));
        batch.AddNote(stream, new StreamVersion(++version), time, new MapOpened(1, 7, "boot", "ct_map", Shape(sizes), null, 0, 0, "fentry", [], "node"));
        var changes = new Changes();
        var dice = new Random(1);
        for (var i = 0; i < sizes.Events; i++)
        {
            // Every key once, then any of them.
            var key = i < sizes.Entries ? i : dice.Next(sizes.Entries);
            changes.Add(batch, stream, ++version, time.AddMicroseconds(version * 10), i < sizes.Entries ? EventKind.EntryAdded : EventKind.EntryUpdated, key, i);
            if (batch.Count < Batch && i + 1 < sizes.Events)
                continue;
            await writer.AppendAsync(batch, cancellation);
            batch.Clear();
        }
        await using (var analyze = store.Database.CreateCommand($"vacuum analyze {store.Schema}.mt_events"))
        {
            analyze.CommandTimeout = 0;
            await analyze.ExecuteNonQueryAsync(cancellation);
        }
        Console.Error.WriteLine($"  {sizes.Events} events of {sizes.Entries} keys logged in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        return new FilledLog(store, new StreamVersion(version));
    }
}
