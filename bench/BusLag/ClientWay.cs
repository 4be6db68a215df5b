using Maplog.Events;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Maplog.BusLag;

/// <summary>RabbitMQ.Client alone, the same queue, up to <paramref name="window"/> messages unconfirmed.</summary>
internal sealed class ClientWay(StreamName stream, int window, bool persistent) : IWay
{
    private readonly Queue<Task> _unconfirmed = new();
    private readonly List<IConnection> _connections = [];
    private readonly string _name = $"lag.{stream.Source}";
    private IChannel? _publishing;

    public string Name => $"RabbitMQ.Client, {(persistent ? "persistent, " : "")}{(window == 0 ? "awaited" : $"window of {window}")}";

    public async Task OpenAsync(Uri server, Action<ReadOnlyMemory<byte>> arrived)
    {
        _publishing = await ChannelAsync(server);
        var listening = await ChannelAsync(server);
        await listening.ExchangeDeclareAsync(_name, ExchangeType.Topic, durable: true);
        await listening.QueueDeclareAsync(_name, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-max-length-bytes"] = 256L * 1024 * 1024,
            ["x-overflow"] = "drop-head",
            ["x-expires"] = 86_400_000,
            ["x-single-active-consumer"] = true,
        });
        await listening.QueueBindAsync(_name, _name, stream.Map);
        await listening.BasicQosAsync(0, 32, global: false);
        var consumer = new AsyncEventingBasicConsumer(listening);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            arrived(delivery.Body);
            await listening.BasicAckAsync(delivery.DeliveryTag, multiple: false);
        };
        await listening.BasicConsumeAsync(_name, autoAck: false, consumer);
    }

    public async Task SendAsync(ReadOnlyMemory<byte> block)
    {
        var properties = new BasicProperties { Persistent = persistent };
        _unconfirmed.Enqueue(_publishing!.BasicPublishAsync(_name, stream.Map, mandatory: false, properties, block).AsTask());
        while (_unconfirmed.Count > window || (_unconfirmed.Count > 0 && _unconfirmed.Peek().IsCompleted))
            await _unconfirmed.Dequeue();
    }

    public async ValueTask DisposeAsync()
    {
        await _publishing!.QueueDeleteAsync(_name);
        foreach (var connection in _connections)
            await connection.DisposeAsync();
    }

    // The client's own limit of unconfirmed messages is left out: with a full window it falls to 2,000 messages a second.
    private async Task<IChannel> ChannelAsync(Uri server)
    {
        var connection = await new ConnectionFactory { Uri = server }.CreateConnectionAsync();
        _connections.Add(connection);
        return await connection.CreateChannelAsync(new CreateChannelOptions(true, true, outstandingPublisherConfirmationsRateLimiter: null));
    }
}
