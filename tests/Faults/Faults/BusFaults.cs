using RabbitMQ.Client;

namespace Maplog.Tests.Faults;

/// <summary>What the bus loses, doubles, reorders and garbles, and its server's own troubles: the log has everything.</summary>
internal static class BusFaults
{
    /// <summary>Queues, one for each replicator.</summary>
    private const int Listened = 2;

    private const string RoutingKey = "events";

    public static readonly Fault[] All =
    [
        new("messages lost", world => OnChannelAsync(world, async (channel, queues) =>
        {
            for (var i = 0; i < 5; i++)
            {
                foreach (var queue in queues)
                    await channel.QueuePurgeAsync(queue);
                await world.WaitAsync(50, 200);
            }
        })),
        new("queues deleted", world => OnChannelAsync(world, async (channel, queues) =>
        {
            foreach (var queue in queues)
                await channel.QueueDeleteAsync(queue);
        })),
        new("messages doubled, reordered and garbled", world => OnChannelAsync(world, (channel, _) => MeddleAsync(world, channel))),
        new("last message lost before a silence", LoseTheLastAsync),
        new("RabbitMQ restarted", world => world.Rabbit.RestartAsync()),
        new("RabbitMQ killed", async world =>
        {
            await world.Rabbit.KillAsync();
            await world.WaitAsync(0, 3000);
            await world.Rabbit.StartAsync();
        }),
        new("RabbitMQ's disk full", async world =>
        {
            // More than any disk has: publishers are blocked.
            await world.Rabbit.ControlAsync("set_disk_free_limit", "1000000GB");
            await world.WaitAsync(1000, 4000);
            await world.Rabbit.ControlAsync("set_disk_free_limit", "50MB");
        }),
    ];

    private static async Task MeddleAsync(World world, IChannel channel)
    {
        var copies = (await channel.QueueDeclareAsync()).QueueName;
        var exchange = $"maplog.{Solo.Source}";
        await channel.QueueBindAsync(copies, exchange, RoutingKey);
        var late = new Queue<BasicGetResult>();
        for (var taken = 0; taken < 60;)
        {
            if (await channel.BasicGetAsync(copies, autoAck: true) is not { } message)
            {
                await Task.Delay(20);
                continue;
            }
            taken++;
            switch (world.Random.Next(4))
            {
                case 0:
                    await SendAsync(message);
                    break;
                case 1:
                    late.Enqueue(message);
                    break;
                case 2 when late.Count > 0:
                    await SendAsync(late.Dequeue());
                    break;
                default:
                    await SendAsync(message, garbled: true);
                    break;
            }
        }
        while (late.TryDequeue(out var message))
            await SendAsync(message);

        ValueTask SendAsync(BasicGetResult message, bool garbled = false)
        {
            var body = message.Body.ToArray();
            if (garbled && body.Length > 0)
                body[world.Random.Next(body.Length)] ^= (byte)(1 << world.Random.Next(8));
            return channel.BasicPublishAsync(exchange, message.RoutingKey, mandatory: false, new BasicProperties(message.BasicProperties), body);
        }
    }

    // Nothing is bound while the last block of all goes over the bus.
    private static Task LoseTheLastAsync(World world) => OnChannelAsync(world, async (channel, queues) =>
    {
        var map = world.Hash;
        world.PauseLoads();
        await world.SettleAsync(new Fault("a silence", _ => Task.CompletedTask));
        foreach (var queue in queues)
            await channel.ExchangeUnbindAsync(queue, $"maplog.{Solo.Source}", RoutingKey); // what is before the queue
        var bindings = await world.Rabbit.ControlAsync("list_bindings", "source_name", "destination_name");
        if (bindings.Split('\n').Any(b => b.StartsWith($"maplog.{Solo.Source}\t", StringComparison.Ordinal)))
            throw new BrokenPromiseException($"Messages still go somewhere:\n{bindings}");
        var before = map.Ledger.Recorded;
        map.Load.Burst(1);
        var began = TimeProvider.System.GetTimestamp();
        await World.UntilAsync(async () =>
        {
            await map.Ledger.ReadOnAsync();
            return map.Ledger.Recorded == before ? "The change is not in the log." : map.Replicas.Select(map.DifferenceOf).FirstOrDefault(d => d is not null);
        });
        world.Silences.Add(TimeProvider.System.GetElapsedTime(began));
        foreach (var queue in queues)
            await channel.ExchangeBindAsync(queue, $"maplog.{Solo.Source}", RoutingKey);
    });

    // What an earlier fault took away the replicators make again by themselves.
    private static async Task OnChannelAsync(World world, Func<IChannel, IReadOnlyList<string>, Task> act)
    {
        List<string> queues = [];
        await World.UntilAsync(async () =>
        {
            queues = await QueuesAsync(world);
            return queues.Count == Listened ? null : $"There are {queues.Count} queues with a listener, not {Listened}.";
        });
        await using var connection = await new ConnectionFactory { Uri = world.Rabbit.Uri }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await act(channel, queues);
    }

    private static async Task<List<string>> QueuesAsync(World world)
    {
        var lines = await world.Rabbit.ControlAsync("list_queues", "--no-table-headers", "name", "consumers");
        return [.. lines.Split('\n').Select(l => l.Split('\t')).Where(q => q.Length == 2 && q[1].Trim() == "1" && q[0].StartsWith($"maplog.{Solo.Source}.", StringComparison.Ordinal)).Select(q => q[0])];
    }
}
