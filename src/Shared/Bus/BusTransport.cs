using MassTransit;

namespace Maplog.Bus;

/// <summary>MassTransit as we use it: RabbitMQ, publisher confirms, and our serializer alone.</summary>
internal static class BusTransport
{
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
            bus.ClearSerialization();
            var serializer = new RawSerializer();
            bus.AddSerializer(serializer, isSerializer: true);
            bus.AddDeserializer(serializer, isDefault: true);
        });
    }
}
