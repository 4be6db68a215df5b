using MassTransit;

namespace Maplog.Bus;

/// <summary>MassTransit as we use it: RabbitMQ, publisher confirms, and our serializers alone.</summary>
internal static class BusTransport
{
    public static RawSerializer BlockSerializer { get; } = new(BusMessage.BlockType);

    public static RawSerializer BeatSerializer { get; } = new(BusMessage.BeatType);

    /// <param name="options">Where RabbitMQ is.</param>
    /// <param name="name">What RabbitMQ shows as the connection's name.</param>
    public static IBusControl Create(BusOptions options, string name)
    {
        var address = options.ToFactory();
        return MassTransit.Bus.Factory.CreateUsingRabbitMq(bus =>
        {
            bus.Host(address.HostName, (ushort)address.Endpoint.Port, address.VirtualHost, name, host =>
            {
                host.Username(address.UserName);
                host.Password(address.Password);
                host.PublisherConfirmation = true;
                host.RequestedConnectionTimeout(options.ConnectTimeout);
                host.Heartbeat(TimeSpan.FromSeconds(10));
                if (address.Ssl.Enabled)
                    host.UseSsl(tls => tls.ServerName = address.HostName);
            });
            // One permission for all that is ours: what begins with 'maplog.'.
            bus.OverrideDefaultBusEndpointQueueName($"maplog.bus.{Guid.NewGuid():N}");
            bus.ClearSerialization();
            bus.AddSerializer(BlockSerializer, isSerializer: true);
            bus.AddSerializer(BeatSerializer, isSerializer: false);
            bus.AddDeserializer(BlockSerializer, isDefault: true);
            bus.AddDeserializer(BeatSerializer, isDefault: false);
        });
    }
}
