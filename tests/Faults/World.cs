using System.Diagnostics;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Tests.Kernel.Promoting;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Faults;

/// <summary>
/// Servers, daemons and maps under load: a node that writes source solo by the names of its maps, with two standby nodes; and a
/// pair of nodes that take turns with source pair.
/// </summary>
internal sealed class World : IAsyncDisposable
{
    /// <summary>What is done now and then as a rule is done all the time here.</summary>
    public static readonly string[] Often = ["--Maplog:Capture:SealEvery=00:00:01", "--Maplog:Capture:SnapshotEvery=00:00:05", "--Maplog:Capture:SnapshotAfter=20000", "--Maplog:Replicator:CheckEvery=00:00:01"];

    /// <summary>Entries that are in a new map and that no load changes.</summary>
    public const int StillEntries = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180), Pause = TimeSpan.FromMilliseconds(100);

    private readonly LogStore _store;
    private readonly PairNode[] _pair;

    private World(PrivatePostgres postgres, PrivateRabbitMq rabbit, Random random)
    {
        (Postgres, Rabbit, Random) = (postgres, rabbit, random);
        _store = new LogStore(new LogOptions { ConnectionString = postgres.ConnectionString });
        // The kernel's names are everybody's.
        var names = new[] { $"flt{Environment.ProcessId}_hash", $"flt{Environment.ProcessId}_lru" };
        var bus = rabbit.Uri.AbsoluteUri;
        Solo = new Solo(postgres.ConnectionString, bus, names);
        var shared = new StreamName("pair", "ct_map");
        _pair = [new PairNode("node-a", shared, postgres.ConnectionString, bus), new PairNode("node-b", shared, postgres.ConnectionString, bus)];
        Hash = Watch(new StreamName(Solo.Source, names[0]), NewMap(names[0]), Solo.PinsOf(names[0]));
        Lru = Watch(new StreamName(Solo.Source, names[1]), NewMap(names[1], MapType.LruHash), Solo.PinsOf(names[1]));
        var map = NewMap(shared.Map);
        map.Pin(Writer.Pin);
        Pair = Watch(shared, map, Other.Pin);
    }

    public Random Random { get; }

    public PrivatePostgres Postgres { get; }

    public PrivateRabbitMq Rabbit { get; }

    public Solo Solo { get; }

    public Watched Hash { get; }

    public Watched Lru { get; }

    public Watched Pair { get; }

    /// <summary>How long it took the replicas to find out what the last message before a silence had told.</summary>
    public List<TimeSpan> Silences { get; } = [];

    public IEnumerable<Watched> Maps => [Hash, Lru, Pair];

    /// <summary>The node that writes source pair.</summary>
    public PairNode Writer => _pair[0];

    /// <summary>The node that stands by for it.</summary>
    public PairNode Other => _pair[1];

    public LogReader Log => new(_store);

    public static async Task<World> StartAsync(int seed)
    {
        var (postgres, rabbit) = (new PrivatePostgres(), new PrivateRabbitMq());
        await Task.WhenAll(postgres.StartAsync(), rabbit.StartAsync());
        var world = new World(postgres, rabbit, new Random(seed));
        try
        {
            await world.CommandAsync("migrate");
            await world.CommandAsync("source", "add", Solo.Source);
            await world.CommandAsync("source", "add", world.Pair.Stream.Source);
            await world.Solo.StartCaptureAsync();
            world.Writer.StartCapture();
            await world.Writer.Capture.SaysAsync($"{world.Pair.Stream}: map ");
            world.Other.StartCapture();
            await world.Other.Capture.SaysAsync("Standing by");
            world.Writer.StartReplicator();
            world.Other.StartReplicator();
            world.Solo.StartReplicator(0);
            world.Solo.StartReplicator(1);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>A map of that name and kind; where values have another size, of another shape.</summary>
    public static BpfMap NewMap(string name, MapType type = MapType.Hash, int valueSize = 64)
    {
        var map = BpfMap.Create(name, type, 24, valueSize, 4 * Load.Keys);
        // What no load changes: there for somebody else to spoil.
        for (var i = 0; i < StillEntries; i++)
            map.Update(StillKey(i), new byte[valueSize]);
        return map;
    }

    /// <summary>The key of an entry that no load changes.</summary>
    public static byte[] StillKey(int number) => [.. BitConverter.GetBytes(1_000_000 + number), .. new byte[20]];

    public int Between(int least, int most) => Random.Next(least, most + 1);

    public Task WaitAsync(int least, int most) => Task.Delay(Between(least, most));

    public void Pour()
    {
        foreach (var map in Maps)
            map.Load.Pour();
    }

    public void PauseLoads()
    {
        foreach (var map in Maps)
            map.Load.Pause();
    }

    /// <summary>Runs maplog, which must end well.</summary>
    public Task<IReadOnlyList<string>> CommandAsync(params string[] arguments) =>
        Command.RunAsync("/", [Path.Combine(Repository.Bin, "maplog"), .. arguments, "--log", Postgres.ConnectionString]);

    /// <summary>The other node of the pair writes from now on, in its map.</summary>
    public void HandedOver()
    {
        var before = Pair.Load.Map;
        Pair.Load.Move(Other.OpenMap());
        before.Dispose();
        Array.Reverse(_pair);
        Pair.Replicas = [Other.Pin];
    }

    /// <summary>Waits until it is so.</summary>
    /// <param name="problem">What is not so yet, or null.</param>
    public static async Task UntilAsync(Func<Task<string?>> problem)
    {
        for (var began = Stopwatch.GetTimestamp(); ; await Task.Delay(Pause))
        {
            string? wrong;
            try
            {
                wrong = await problem();
            }
            catch (LogException e) when (e.IsTransient)
            {
                wrong = e.Message;
            }
            if (wrong is null)
                return;
            if (Stopwatch.GetElapsedTime(began) > Patience)
                throw new BrokenPromiseException($"Not within {Patience.TotalSeconds:0} s: {wrong}");
        }
    }

    /// <summary>Waits until a map of source solo, and the replicas of it, are what the log comes to.</summary>
    public async Task EqualAsync(string name, BpfMap map)
    {
        var ledger = new StreamLedger(Log, new StreamName(Solo.Source, name));
        await UntilAsync(async () =>
        {
            await ledger.ReadOnAsync();
            return Watched.DifferenceOf(ledger, map) ?? Solo.PinsOf(name).Select(pin => Watched.DifferenceOf(ledger, pin)).FirstOrDefault(d => d is not null);
        });
    }

    /// <summary>At rest: everything that was changed is in the log, and each map and replica is what the log comes to.</summary>
    public async Task SettleAsync(Fault fault)
    {
        foreach (var map in Maps)
        {
            await UntilAsync(async () =>
            {
                await map.Ledger.ReadOnAsync();
                return map.Examine(fault);
            });
        }
    }

    /// <summary>What the daemons said last.</summary>
    public string LastLines(int count) => string.Concat(Daemons().Select(d => $"\n{d.Name}:{d.Daemon.LastLines(count)}"));

    public async ValueTask DisposeAsync()
    {
        PauseLoads();
        Postgres.Thaw();
        Solo.Dispose();
        foreach (var node in _pair)
            node.Dispose();
        foreach (var map in Maps)
            map.Dispose();
        await _store.DisposeAsync();
        Npgsql.NpgsqlConnection.ClearAllPools();
        await Rabbit.DisposeAsync();
        await Postgres.DisposeAsync();
    }

    private IEnumerable<(string Name, Command Daemon)> Daemons() =>
    [
        ("capture of solo", Solo.Capture), ("standby-0", Solo.Replicators[0]), ("standby-1", Solo.Replicators[1]),
        .. _pair.SelectMany(n => new[] { ($"capture of {n.Name}", n.Capture), ($"replicator of {n.Name}", n.Replicator) }),
    ];

    private Watched Watch(StreamName stream, BpfMap map, params string[] replicas) =>
        new(stream, new Load(map, Random.Next()), new StreamLedger(Log, stream), replicas);
}
