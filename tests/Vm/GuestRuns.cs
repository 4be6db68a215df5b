using Maplog.Log;
using Maplog.Servers;
using Maplog.Tests.Recorded;
using Maplog.Tests.Vm;

[assembly: AssemblyFixture(typeof(GuestRuns))]
[assembly: CollectionBehavior(DisableTestParallelization = true)] // they wait for the same guests

namespace Maplog.Tests.Vm;

/// <summary>The guests of this test run, one after the other, from the first that a test asks for; Postgres and RabbitMQ are outside, on loopback.</summary>
public sealed class GuestRuns : IAsyncDisposable
{
    private readonly TestPostgres _postgres = new();
    private readonly TestRabbitMq _rabbit = new();
    private LogStore? _store;
    private Task<string>? _ready;
    private readonly Dictionary<(string, string), Task<GuestRun>> _runs = [];

    /// <summary>The Debian releases whose kernels are booted. <c>MAPLOG_KERNELS</c>: names with commas between; default bookworm,sid.</summary>
    public static IReadOnlyList<string> Suites { get; } =
        (Environment.GetEnvironmentVariable("MAPLOG_KERNELS") is { Length: > 0 } suites ? suites : "bookworm,sid").Split(',');

    /// <summary>The probes that are tried on each. <c>MAPLOG_PROBES</c>; default fentry,kprobe.</summary>
    public static IReadOnlyList<string> Probes { get; } = Environment.GetEnvironmentVariable("MAPLOG_PROBES") is { Length: > 0 } probes ? probes.Split(',') : ["fentry", "kprobe"];

    /// <summary>The guest of this kernel and probe, when it has ended.</summary>
    public async Task<GuestRun> EndedAsync(string suite, string probe)
    {
        lock (_runs)
        {
            if (_runs.Count == 0)
                StartAll();
        }
        return await _runs[(suite, probe)].WaitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The same for tests of what was recorded: that a guest failed is told once, by the test of that.</summary>
    public async Task<GuestRun> OfAsync(string suite, string probe)
    {
        try
        {
            return await EndedAsync(suite, probe);
        }
        catch (InvalidOperationException)
        {
            throw new InvalidOperationException($"The guest of {suite} and {probe} failed: {nameof(GuestTests.The_guest_runs_to_its_end)} says how.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        await _postgres.DisposeAsync();
        await _rabbit.DisposeAsync();
    }

    /// <summary>The log that all guests write, as it is outside.</summary>
    public async Task<(string Connection, LogStore Store)> LogAsync()
    {
        var connection = await ReadyAsync();
        return (connection, _store!);
    }

    private Task<string> ReadyAsync()
    {
        lock (_runs)
            return _ready ??= Task.Run(PrepareAsync);
    }

    private void StartAll()
    {
        // They outlive the test that is the first to ask, and its context.
        using var apart = ExecutionContext.SuppressFlow();
        var ready = ReadyAsync();
        Task before = ready;
        foreach (var suite in Suites)
        {
            foreach (var probe in Probes)
            {
                var run = StartAsync(before, ready, suite, probe);
                _runs[(suite, probe)] = run;
                before = run;
            }
        }
    }

    private async Task<string> PrepareAsync()
    {
        if (!File.Exists(Path.Combine(Repository.Bin, "maplog-capture")))
            await Command.RunAsync(Repository.Root, "scripts/build");
        var log = await _postgres.CreateDatabaseAsync("vm");
        await Command.RunAsync(Repository.Root, Path.Combine(Repository.Bin, "maplog"), "migrate", "--log", log);
        _store = new LogStore(new LogOptions { ConnectionString = log });
        return log;
    }

    private async Task<GuestRun> StartAsync(Task before, Task<string> ready, string suite, string probe)
    {
        // Two at once would only take each other's time.
        await before.ContinueWith(_ => { }, TaskScheduler.Default);
        var run = new GuestRun(suite, probe, await ready, _store!, await _rabbit.CreateVirtualHostAsync("vm"));
        await run.RunAsync();
        Console.WriteLine($"    {suite}: Linux {run.MapsThatWereThere.Driver.Kernel}, {probe}");
        return run;
    }
}
