using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Tests.Kernel.Capturing;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Kernel.Promoting;

/// <summary>Two nodes, a log and a bus. Node a has the map and writes, node b has a replica and stands by.</summary>
internal sealed class Pair : IAsyncDisposable
{
    public const string Source = "pair", Map = "ct_map";

    private static readonly StreamName Stream = new(Source, Map);

    private readonly LogStore _store;
    private readonly string _log;

    private Pair(string log, string bus)
    {
        _log = log;
        _store = new LogStore(new LogOptions { ConnectionString = log });
        A = new PairNode("node-a", Stream, log, bus);
        B = new PairNode("node-b", Stream, log, bus);
    }

    public PairNode A { get; }

    public PairNode B { get; }

    public LogReader Log => new(_store);

    public WriterLease Lease => new(_store, Source);

    public static Task<Pair> StartAsync(TestPostgres postgres, TestRabbitMq rabbit) => StartAsync(postgres, rabbit, () => BusyMap.Create(Map));

    /// <param name="postgres">Where the log is made.</param>
    /// <param name="rabbit">The bus.</param>
    /// <param name="make">Makes the map of node a.</param>
    public static async Task<Pair> StartAsync(TestPostgres postgres, TestRabbitMq rabbit, Func<BpfMap> make)
    {
        var log = await postgres.CreateDatabaseAsync("pair");
        await Command.RunAsync("/", Path.Combine(Repository.Bin, "maplog"), "migrate", "--log", log);
        await Command.RunAsync("/", Path.Combine(Repository.Bin, "maplog"), "source", "add", Source, "--log", log);
        var pair = new Pair(log, (await rabbit.CreateVirtualHostAsync("pair")).AbsoluteUri);
        using (var map = make())
            map.Pin(pair.A.Pin);
        pair.A.StartCapture();
        await pair.A.Capture.SaysAsync($"{Source}/{Map}: map ");
        pair.A.StartReplicator();
        pair.B.StartReplicator();
        pair.B.StartCapture();
        await pair.B.Capture.SaysAsync("Standing by");
        return pair;
    }

    public async Task<(int Status, string Said)> PromoteAsync(PairNode node, params string[] more)
    {
        using var promote = new Command("/", [Path.Combine(Repository.Bin, "maplog"), "promote", Source, "--node", node.Name, "--log", _log, .. more]);
        var status = await promote.EndAsync();
        return (status, promote.LastLines(5));
    }

    /// <summary>What the log comes to, its generations, and where they begin.</summary>
    public async Task<StreamFold> FoldAsync()
    {
        var fold = new StreamFold(Stream);
        await foreach (var page in Log.ReadAsync(fold.Stream, cancellation: TestContext.Current.CancellationToken))
            foreach (var logged in page)
                fold.Apply(logged);
        return fold;
    }

    /// <summary>How often something was logged.</summary>
    public async Task<int> CountAsync(EventKind kind, Func<LoggedEvent, bool>? which = null)
    {
        var count = 0;
        await foreach (var page in Log.ReadAsync(Stream, cancellation: TestContext.Current.CancellationToken))
            foreach (var logged in page)
                count += logged.Kind == kind && (which is null || which(logged)) ? 1 : 0;
        return count;
    }

    /// <summary>Waits until so many changes are logged; there must be no more.</summary>
    public async Task LoggedAsync(int changes)
    {
        for (var tries = 0; ; tries++)
        {
            var logged = await CountAsync(EventKind.EntryAdded) + await CountAsync(EventKind.EntryUpdated) + await CountAsync(EventKind.EntryDeleted);
            Assert.True(logged <= changes && tries < 100, $"{logged} changes of {changes} are logged.\n{await StoryAsync()}");
            if (logged == changes)
                return;
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>What each term logged: its changes, by origin, and its notes.</summary>
    public async Task<string> StoryAsync()
    {
        var story = new List<string>();
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        await foreach (var page in Log.ReadAsync(Stream, cancellation: TestContext.Current.CancellationToken))
            foreach (var logged in page)
            {
                if (logged.Kind.IsChange())
                {
                    var what = $"{logged.Kind} by {ChangePayload.Read(logged.Data.Span).Header.Origin}";
                    counts[what] = counts.GetValueOrDefault(what) + 1;
                    continue;
                }
                story.AddRange(counts.Select(c => $"  {c.Value} {c.Key}"));
                counts.Clear();
                var note = System.Text.Encoding.UTF8.GetString(logged.Data.Span);
                story.Add($"{logged.Version} {logged.Kind} {(logged.Kind is EventKind.MapOpened or EventKind.Sealed ? "" : note)}");
            }
        story.AddRange(counts.Select(c => $"  {c.Value} {c.Key}"));
        return string.Join('\n', story);
    }

    /// <summary>Waits until the maps of both nodes are what the log comes to.</summary>
    public async Task EqualAsync()
    {
        for (var tries = 0; ; tries++)
        {
            var fold = await FoldAsync();
            using BpfMap a = A.OpenMap(), b = B.OpenMap();
            var difference = BusyMap.Difference(a, fold) ?? BusyMap.Difference(b, fold);
            if (difference is null)
                return;
            Assert.True(tries < 150, $"{difference}\na: {A.Capture.LastLines(15)}\n{A.Replicator.LastLines(15)}\nb: {B.Capture.LastLines(15)}\n{B.Replicator.LastLines(15)}");
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        A.Dispose();
        B.Dispose();
        await _store.DisposeAsync();
    }
}
