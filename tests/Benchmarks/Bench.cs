using System.Diagnostics;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Servers;
using Npgsql;

namespace Maplog.Benchmarks;

/// <summary>What the rows share: sizes, a Postgres of their own, the filled log, a folder for pins. Nothing of it stays.</summary>
internal sealed class Bench(Sizes sizes) : IAsyncDisposable
{
    private readonly TestPostgres _postgres = new();
    private readonly TestRabbitMq _rabbit = new();
    private readonly string _pins = $"{Bpffs.Root}/maplog_bench_{Environment.ProcessId}";
    private readonly List<LogStore> _logs = [];
    private FilledLog? _filled;
    private bool _isSeasoned;
    private int _folders;

    public Sizes Sizes { get; } = sizes;

    /// <summary>Changes a second of the whole pipeline, once they have been measured.</summary>
    public double? EndToEnd { get; set; }

    /// <summary>An empty log of its own, with the source lb-1; there as long as the row runs.</summary>
    public async Task<LogStore> MakeLogAsync(CancellationToken cancellation)
    {
        // The command opens the log by itself, with the password.
        var connection = new NpgsqlConnectionStringBuilder(await _postgres.CreateDatabaseAsync("bench")) { PersistSecurityInfo = true };
        var store = new LogStore(new LogOptions { ConnectionString = connection.ConnectionString });
        _logs.Add(store);
        if (!_isSeasoned)
            await SeasonAsync(store, cancellation);
        _isSeasoned = true;
        var schema = new LogSchema(store);
        await schema.MigrateAsync(cancellation);
        await schema.AddSourceAsync("lb-1", cancellation);
        return store;
    }

    /// <summary>The log with the stream that replays read; filled when it is first asked for.</summary>
    public async Task<FilledLog> FilledAsync(CancellationToken cancellation) => _filled ??= await FilledLog.MakeAsync(await MakeLogAsync(cancellation), Sizes, cancellation);

    /// <summary>Drops the logs of the rows that have ended, but for the filled one: those of all rows are more than many a disk has.</summary>
    public async Task DropLogsAsync()
    {
        foreach (var log in _logs.Where(l => l != _filled?.Store))
        {
            await log.DisposeAsync();
            await _postgres.DropDatabaseAsync(new NpgsqlConnectionStringBuilder(log.Database.ConnectionString).Database!);
        }
        _logs.RemoveAll(l => l != _filled?.Store);
    }

    /// <summary>A path for a pin that is not there.</summary>
    public string NewPin()
    {
        Bpffs.EnsureMounted(_pins);
        var pin = Path.Combine(_pins, "map");
        foreach (var left in Directory.GetFiles(_pins))
            File.Delete(left);
        return pin;
    }

    /// <summary>A folder for pins that is not there.</summary>
    public string NewPins()
    {
        Bpffs.EnsureMounted(_pins);
        return Path.Combine(_pins, $"{++_folders}");
    }

    /// <summary>A virtual host of RabbitMQ of its own.</summary>
    public Task<Uri> MakeVirtualHostAsync() => _rabbit.CreateVirtualHostAsync("bench");

    /// <summary>The median seconds of each of some works, done in turns because the machine drifts; each once before, unmeasured.</summary>
    public async Task<double[]> MediansAsync(params Func<Task>[] works)
    {
        var times = works.Select(_ => new List<double>()).ToArray();
        for (var round = -1; round < Sizes.Rounds; round++)
        {
            for (var i = 0; i < works.Length; i++)
            {
                GC.Collect();
                var began = Stopwatch.GetTimestamp();
                await works[i]();
                var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
                Console.Error.WriteLine($"  {(round < 0 ? "warm" : $"{round + 1}")} {i}: {took:0.000} s");
                if (round >= 0)
                    times[i].Add(took);
            }
        }
        return [.. times.Select(t => t.Order().ElementAt(t.Count / 2))];
    }

    /// <summary>
    /// A server that has run for a while, set as docs/operations.md says: it writes its log over old segments. A new one makes each
    /// anew, and the commit that does it takes 60 ms longer.
    /// </summary>
    private static async Task SeasonAsync(LogStore store, CancellationToken cancellation)
    {
        foreach (var setting in new[] { "min_wal_size = '2GB'", "max_wal_size = '4GB'" })
            await DoAsync($"alter system set {setting}");
        await DoAsync("select pg_reload_conf()");
        for (var i = 0; i < 128; i++)
            await DoAsync("select pg_logical_emit_message(false, '', ''), pg_switch_wal()");
        await DoAsync("checkpoint");

        async Task DoAsync(string what)
        {
            await using var command = store.Database.CreateCommand(what);
            await command.ExecuteNonQueryAsync(cancellation);
        }
    }

    public static double Median(IEnumerable<double> values)
    {
        var ordered = values.Order().ToList();
        return ordered[ordered.Count / 2];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var log in _logs)
            await log.DisposeAsync();
        await _postgres.DisposeAsync();
        await _rabbit.DisposeAsync();
        if (Directory.Exists(_pins))
            Directory.Delete(_pins, recursive: true);
    }
}
