using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;
using Maplog.Tests.Integration.Log;

namespace Maplog.Tests.Integration.Audit;

/// <summary>
/// A random history of one map, logged, and a model of it beside: what the map held after each version. The clock that the
/// writer reads is set back by a day and forth again on the way; what is stored never goes back, as capture has it.
/// </summary>
internal sealed class RecordedHistory : IAsyncDisposable
{
    public const int Changes = 3000;
    private const int KeySize = 4, ValueSize = 6;
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private RecordedHistory(LogDatabase log) => Log = log;

    public LogDatabase Log { get; }

    public static StreamName Stream { get; } = StreamName.Parse("lb-1/ct_map");

    /// <summary>By version: what the map held after it, key and value in hex; null: there was no map yet.</summary>
    public List<SortedDictionary<string, string>?> Model { get; } = [null];

    /// <summary>By version: when, as stored.</summary>
    public List<DateTimeOffset> Times { get; } = [DateTimeOffset.MinValue];

    public static async Task<RecordedHistory> MakeAsync(TestPostgres postgres, int seed)
    {
        var history = new RecordedHistory(await LogDatabase.MigratedAsync(postgres));
        await history.RecordAsync(new Random(seed));
        return history;
    }

    public Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.OfAsync([.. arguments, "--log", Log.Options.ConnectionString]);

    /// <summary>The last version at or before a time, by looking at every one.</summary>
    public int VersionAt(DateTimeOffset time) => Enumerable.Range(1, Times.Count - 1).Last(v => Times[v] <= time);

    public ValueTask DisposeAsync() => Log.DisposeAsync();

    private async Task RecordAsync(Random random)
    {
        var stream = new StreamHandle(Stream);
        // Another stream of the same source, its events between these.
        var noise = Made.Stream("lb-1/other");
        var noiseVersion = 0L;
        using var batch = new EventBatch();
        var writer = await LogWriter.OpenAsync(Log.Store, "lb-1");
        var held = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var clock = Begin;
        long version = 0;
        Note(new EpochStarted(1, "node-a", "boot", 7, StartedAt: Begin), null);
        Note(Opened(1), held);
        while (version < Changes)
        {
            // Often several in a microsecond, sometimes none for seconds; and twice somebody sets the clock.
            clock += TimeSpan.FromTicks(random.Next(3) == 0 ? 0 : random.Next(100) == 0 ? random.NextInt64(50_000_000) : random.Next(20_000));
            if (version == Changes / 3)
                clock -= TimeSpan.FromDays(1);
            if (version == Changes * 2 / 3)
                clock += TimeSpan.FromDays(2);
            if (version == Changes / 2)
            {
                held = new SortedDictionary<string, string>(StringComparer.Ordinal);
                Note(Opened(2), held);
                continue;
            }
            var key = BitConverter.GetBytes(random.Next(60));
            var name = Convert.ToHexStringLower(key);
            var value = new byte[ValueSize];
            random.NextBytes(value);
            var has = held.ContainsKey(name);
            if (has && random.Next(3) == 0)
            {
                held.Remove(name);
                Change(random.Next(2) == 0 ? EventKind.EntryDeleted : EventKind.EntryEvicted, key, []);
            }
            else
            {
                held[name] = Convert.ToHexStringLower(value);
                Change(has ? EventKind.EntryUpdated : EventKind.EntryAdded, key, value);
            }
            if (random.Next(10) == 0)
                Made.Add(batch, noise, ++noiseVersion, 1);
            if (batch.Count > 400)
            {
                await writer.AppendAsync(batch);
                batch.Clear();
            }
        }
        Note(new MapClosed(1, 2, "boot"), held);
        await writer.AppendAsync(batch);
        batch.Clear();

        void Change(EventKind kind, byte[] key, byte[] value)
        {
            batch.AddChange(stream, new StreamVersion(++version), Store(), kind, Made.Payload(key, value, version * 64));
            Model.Add(new SortedDictionary<string, string>(held, StringComparer.Ordinal));
        }

        void Note(object note, SortedDictionary<string, string>? content)
        {
            batch.AddNote(stream, new StreamVersion(++version), Store(), note);
            Model.Add(content is null ? null : new SortedDictionary<string, string>(content, StringComparer.Ordinal));
        }

        DateTimeOffset Store()
        {
            var stored = clock > Times[^1] ? clock : Times[^1];
            // Whole microseconds are what the log keeps.
            Times.Add(new DateTimeOffset(stored.Ticks / 10 * 10, TimeSpan.Zero));
            return Times[^1];
        }
    }

    private static MapOpened Opened(uint id) => new(
        1, id, "boot", "ct_map", new MapShape(1, KeySize, ValueSize, 1024, 0, 0), null, 0, 0, "fentry", [], "node-a",
        new MapFields(new FieldType(FieldKind.Number, KeySize), null));
}
