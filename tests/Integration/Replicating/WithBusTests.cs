using Maplog.Bus;
using Maplog.Events;
using Maplog.Replicas;
using Maplog.Servers;
using Xunit;

namespace Maplog.Tests.Integration.Replicating;

public sealed class WithBusTests(TestPostgres postgres, TestRabbitMq rabbit) : IAsyncLifetime
{
    private ReplicatorWorld _world = null!;
    private Uri _uri = null!;
    private BusPublisher _bus = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await ReplicatorWorld.MakeAsync(postgres);
        _uri = await rabbit.CreateVirtualHostAsync("replicas");
        _bus = new BusPublisher(new BusOptions { Uri = _uri });
        await _bus.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _bus.DisposeAsync();
        await _world.DisposeAsync();
    }

    [Fact]
    public async Task A_replica_follows_the_bus_and_leaves_the_log_alone()
    {
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(1000);
        using var replicator = await FollowingAsync();
        for (var i = 0; i < 50; i++)
            await PublishAsync(await _world.Source.ChangeAsync(200));
        await _world.EqualAsync(replicator);
        Assert.Equal(0, await replicator.StopAsync());
        Assert.Equal((1001, 10_000), (replicator.EventsFromLog, replicator.EventsFromBus));
    }

    [Fact]
    public async Task What_the_bus_loses_doubles_reorders_and_garbles_heals_from_the_log()
    {
        await _world.Source.OpenAsync();
        using var replicator = await FollowingAsync();
        var dice = new Random(11);
        var late = new Queue<byte[]>();
        for (var i = 0; i < 200; i++)
        {
            var block = (await _world.Source.ChangeAsync(1 + dice.Next(200))).ToArray();
            switch (dice.Next(6))
            {
                case 0:
                    break;
                case 1:
                    await PublishAsync(block);
                    await PublishAsync(block);
                    break;
                case 2:
                    late.Enqueue(block);
                    break;
                case 3 when late.Count > 0:
                    await PublishAsync(block);
                    await PublishAsync(late.Dequeue());
                    break;
                case 4:
                    block[dice.Next(block.Length)] ^= 0x40;
                    await PublishAsync(block);
                    break;
                default:
                    await PublishAsync(block);
                    break;
            }
        }
        await _bus.PublishAsync(_world.Source.Stream.Source, [new Heartbeat(_world.Source.Stream, _world.Source.Epoch, _world.Source.Head, DateTimeOffset.UnixEpoch).ToBytes()], Cancel);
        await _world.EqualAsync(replicator);
        Assert.Contains("cannot be used", replicator.Output);
        Assert.Equal(0, await replicator.StopAsync());
    }

    [Fact]
    public async Task Terms_and_lives_of_the_map_are_followed_and_a_deposed_writer_is_not()
    {
        await _world.Source.OpenAsync();
        using var replicator = await FollowingAsync();
        await PublishAsync(await _world.Source.ChangeAsync(1000));
        await PublishAsync(await _world.Source.TakeOverAsync());
        await PublishAsync(await _world.Source.ChangeAsync(1000));
        await PublishAsync(await _world.Source.OpenAsync());
        await PublishAsync(await _world.Source.ChangeAsync(500));
        await _world.EqualAsync(replicator);
        using var forged = new ChangeBlockWriter();
        forged.Begin(_world.Source.Stream, new Epoch(1), _world.Source.Head.Next, ReplicatorWorld.Shape);
        forged.AddChange(EventKind.EntryAdded, new byte[24], new byte[64]);
        await PublishAsync(forged.Finish(DateTimeOffset.UnixEpoch));
        await PublishAsync(await _world.Source.ChangeAsync(500));
        await _world.EqualAsync(replicator);
    }

    [Fact]
    public async Task Killed_while_the_bus_goes_on_it_takes_up_what_waited_for_it()
    {
        await _world.Source.OpenAsync();
        using (var killed = await FollowingAsync())
        {
            for (var i = 0; i < 40; i++)
            {
                await PublishAsync(await _world.Source.ChangeAsync(500));
                if (i == 20)
                    killed.Kill();
            }
            await killed.EndAsync();
        }
        var cursor = ReplicaMap.ReadCursor(_world.Pin)!.Value.Cursor.Version;
        using var next = Start();
        await _world.EqualAsync(next);
        Assert.Equal(0, await next.StopAsync());
        Assert.Equal(_world.Source.Head - cursor, next.EventsFromLog + next.EventsFromBus);
    }

    [Fact]
    public async Task Without_RabbitMQ_it_follows_the_log_and_comes_back_to_the_bus()
    {
        await using var own = new TestRabbitMq();
        await own.StartAsync();
        await _world.Source.OpenAsync();
        await using var bus = new BusPublisher(new BusOptions { Uri = own.Uri });
        await bus.StartAsync(Cancel);
        using var replicator = _world.Start("--bus", own.Uri.ToString());
        await replicator.WaitForAsync("built");
        await BeatsAsync(bus, replicator, "following the bus", 1);
        await own.StopAsync();
        await _world.Source.ChangeAsync(1000);
        await replicator.WaitForAsync("no message from the bus");
        await _world.EqualAsync(replicator);
        await own.StartAsync();
        await BeatsAsync(bus, replicator, "following the bus", 2);
        await bus.PublishAsync(_world.Source.Stream.Source, [(await _world.Source.ChangeAsync(1000)).ToArray()], Cancel);
        await _world.EqualAsync(replicator);
        Assert.Equal(0, await replicator.StopAsync());
    }

    [Fact]
    public async Task Under_an_alarm_of_RabbitMQ_the_head_is_the_logs_and_the_replica_follows_it()
    {
        await using var own = new TestRabbitMq();
        await own.StartAsync();
        await _world.Source.OpenAsync();
        await using var bus = new BusPublisher(new BusOptions { Uri = own.Uri });
        await bus.StartAsync(Cancel);
        using var replicator = _world.Start("--bus", own.Uri.ToString());
        await replicator.WaitForAsync("built");
        await BeatsAsync(bus, replicator, "following the bus", 1);
        var late = new Heartbeat(_world.Source.Stream, _world.Source.Epoch, _world.Source.Head, DateTimeOffset.UnixEpoch).ToBytes();
        await own.ControlAsync("set_vm_memory_high_watermark", "absolute", "1");
        Assert.False(await bus.PublishAsync(_world.Source.Stream.Source, [(await _world.Source.ChangeAsync(1500)).ToArray()], Cancel));
        await _world.EqualAsync(replicator);
        await Wait.UntilAsync(() => bus.Problem?.Contains("has an alarm", StringComparison.Ordinal) is true, TimeSpan.FromSeconds(60), () => $"{bus.Problem}");

        await own.ControlAsync("set_vm_memory_high_watermark", "0.6");
        await BeatsAsync(bus, replicator, "following the bus", 2);
        // A bus that tells old heads alone is no reason to stay behind.
        using var beating = new CancellationTokenSource();
        var beats = BeatAsync(beating.Token);
        await _world.Source.ChangeAsync(1500);
        await _world.EqualAsync(replicator);
        await beating.CancelAsync();
        await beats;
        Assert.Equal(0, await replicator.StopAsync());

        async Task BeatAsync(CancellationToken enough)
        {
            while (!enough.IsCancellationRequested)
            {
                await bus.PublishAsync(_world.Source.Stream.Source, [late], Cancel);
                await Task.Delay(200, enough).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [Fact]
    public async Task A_refused_login_is_told_and_the_log_is_followed()
    {
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(1000);
        using var replicator = _world.Start("--bus", new UriBuilder(_uri) { Password = "wrong" }.Uri.ToString());
        await replicator.WaitForAsync("refused the login of user");
        await _world.EqualAsync(replicator);
        Assert.Equal(0, await replicator.StopAsync());
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ReplicatorProcess Start() => _world.Start("--bus", _uri.ToString());

    private async Task<ReplicatorProcess> FollowingAsync()
    {
        var replicator = Start();
        await replicator.WaitForAsync("built");
        await BeatsAsync(_bus, replicator, "following the bus", 1);
        return replicator;
    }

    // Capture beats; here each test does. The replica hears it once its queue is bound.
    private async Task BeatsAsync(BusPublisher bus, ReplicatorProcess replicator, string until, int times)
    {
        while (true)
        {
            await bus.PublishAsync(_world.Source.Stream.Source, [new Heartbeat(_world.Source.Stream, _world.Source.Epoch, _world.Source.Head, DateTimeOffset.UnixEpoch).ToBytes()], Cancel);
            if (replicator.Says(until, times))
                return;
            await Task.Delay(200, Cancel);
        }
    }

    private async Task PublishAsync(ReadOnlyMemory<byte> block) => Assert.True(await _bus.PublishAsync(_world.Source.Stream.Source, [block.ToArray()], Cancel));
}
