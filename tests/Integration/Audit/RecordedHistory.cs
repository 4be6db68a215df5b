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
    private const int KeySize = 4, ValueSize = 6, PartSize = 8;
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly int _cpus;

    private RecordedHistory(LogDatabase log, int cpus) => (Log, _cpus) = (log, cpus);

    public LogDatabase Log { get; }

    public static StreamName Stream { get; } = StreamName.Parse("lb-1/ct_map");

    /// <summary>By version: what the map held after it, key and value in hex; null: there was no map yet.</summary>
    public List<SortedDictionary<string, string>?> Model { get; } = [null];

    /// <summary>By version: when, as stored.</summary>
    public List<DateTimeOffset> Times { get; } = [DateTimeOffset.MinValue];

    /// <param name="postgres">Where its log is made.</param>
    /// <param name="seed">Of the dice.</param>
    /// <param name="sealEvery">A seal after so many events; 0: none.</param>
    /// <param name="committed">Called after each batch.</param>
    /// <param name="cpus">Of a per-CPU map, whose updates carry the parts that changed; 0: of a hash.</param>
    public static async Task<RecordedHistory> MakeAsync(TestPostgres postgres, int seed, int sealEvery = 0, Func<RecordedHistory, Task>? committed = null, int cpus = 0)
    {
        var history = new RecordedHistory(await LogDatabase.MigratedAsync(postgres), cpus);
        await history.RecordAsync(new Random(seed), sealEvery, committed);
        return history;
    }

    /// <summary>What SQL says that the map held.</summary>
    public async Task<SortedDictionary<string, string>> QueryStateAsync(int version)
    {
        await using var command = Log.Store.Database.CreateCommand($"select encode(key_bytes, 'hex'), encode(value_bytes, 'hex') from audit.state_at_version('{Stream}', {version})");
        var held = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
            held.Add(rows.GetString(0), rows.GetString(1));
        return held;
    }

    /// <summary>What the command says that the map held.</summary>
    public async Task<SortedDictionary<string, string>> ReplayAsync(params string[] when)
    {
        var run = await RunAsync(["replay", "lb-1/ct_map", "--json", .. when]);
        Xunit.Assert.Equal("", run.Error);
        Xunit.Assert.Equal(0, run.Code);
        return Entries(run);
    }

    public static SortedDictionary<string, string> Entries(CommandRun replay) => new(
        System.Text.Json.JsonDocument.Parse(replay.Output).RootElement.GetProperty("entries").EnumerateArray()
            .ToDictionary(e => e.GetProperty("key_bytes").GetString()!, e => e.GetProperty("value_bytes").GetString()!), StringComparer.Ordinal);

    public Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.InProcessAsync([.. arguments, "--log", Log.Options.ConnectionString]);

    /// <summary>The last version at or before a time, by looking at every one.</summary>
    public int VersionAt(DateTimeOffset time) => Enumerable.Range(1, Times.Count - 1).Last(v => Times[v] <= time);

    public ValueTask DisposeAsync() => Log.DisposeAsync();

    private async Task RecordAsync(Random random, int sealEvery, Func<RecordedHistory, Task>? committed)
    {
        var stream = new StreamHandle(Stream);
        // Another stream of the same source, its events between these.
        var noise = Made.Stream("lb-1/other");
        var noiseVersion = 0L;
        using var batch = new EventBatch();
        using var chain = new SealChain();
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
            if (sealEvery > 0 && version % sealEvery == 0)
                Note(chain.Seal(new Epoch(1)), held);
            var key = BitConverter.GetBytes(random.Next(60));
            var name = Convert.ToHexStringLower(key);
            var has = held.TryGetValue(name, out var before);
            var value = NextValue(random, before);
            if (has && random.Next(3) == 0)
            {
                held.Remove(name);
                Change(random.Next(2) == 0 ? EventKind.EntryDeleted : EventKind.EntryEvicted, key, []);
            }
            else
            {
                held[name] = Convert.ToHexStringLower(value);
                Change(has ? EventKind.EntryUpdated : EventKind.EntryAdded, key, value, before is not null && _cpus > 0 && random.Next(8) > 0 ? Convert.FromHexString(before) : null);
            }
            if (random.Next(10) == 0)
                Made.Add(batch, noise, ++noiseVersion, 1);
            if (batch.Count > 400)
            {
                await writer.AppendAsync(batch);
                batch.Clear();
                if (committed is not null)
                    await committed(this);
            }
        }
        Note(new MapClosed(1, 2, "boot"), held);
        await writer.AppendAsync(batch);
        batch.Clear();

        void Change(EventKind kind, byte[] key, byte[] value, byte[]? old = null)
        {
            var payload = Made.Payload(key, value, (version + 1) * 64, before: _cpus > 0 ? old : null);
            batch.AddChange(stream, new StreamVersion(++version), Store(), kind, payload);
            chain.Take(new StreamVersion(version), Times[^1], kind, payload);
            Model.Add(new SortedDictionary<string, string>(held, StringComparer.Ordinal));
        }

        void Note(object note, SortedDictionary<string, string>? content)
        {
            batch.AddNote(stream, new StreamVersion(++version), Store(), note);
            chain.Take(new StreamVersion(version), Times[^1], NoteCodec.KindOf(note), NoteCodec.Write(note));
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

    // Of a per-CPU map one CPU's value changes, or none, seldom all.
    private byte[] NextValue(Random random, string? before)
    {
        var value = new byte[_cpus == 0 ? ValueSize : _cpus * PartSize];
        for (var part = 0; part < Math.Max(_cpus, 1); part++)
            random.NextBytes(value.AsSpan(part * PartSize, ValueSize));
        if (_cpus == 0 || before is null || random.Next(_cpus) == 0)
            return value;
        var changed = Convert.FromHexString(before);
        if (random.Next(8) is var one && one < _cpus)
            value.AsSpan(one * PartSize, PartSize).CopyTo(changed.AsSpan(one * PartSize));
        return changed;
    }

    private MapOpened Opened(uint id) => new(
        1, id, "boot", "ct_map", new MapShape(_cpus > 0 ? 5 : 1, KeySize, ValueSize, 1024, 0, _cpus), null, 0, 0, "fentry", [], "node-a",
        new MapFields(new FieldType(FieldKind.Number, KeySize), null));
}
