using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maplog.HotStandby.AspNetCore;

/// <summary>
/// Kestrel's socket transport with the group's sockets: the member binds them, and puts them into the group after they listen.
/// </summary>
internal sealed class StandbyTransport(StandbyMembership membership, IOptions<SocketTransportOptions> options, ILoggerFactory loggers)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>Unix sockets and inherited descriptors have no port to share: Kestrel's own transport handles them.</summary>
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint;

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        try
        {
            return await ListenAsync((IPEndPoint)endpoint, cancellationToken);
        }
        catch (StandbyException e)
        {
            // For localhost and for "any address", Kestrel accepts one family if the other fails with any other exception.
            throw new IOException(e.Message, e);
        }
    }

    private async Task<StandbyListener> ListenAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        var member = membership.Join();
        Socket? socket = null;
        var given = options.Value;
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions
        {
            IOQueueCount = given.IOQueueCount,
            WaitForDataBeforeAllocatingBuffer = given.WaitForDataBeforeAllocatingBuffer,
            NoDelay = given.NoDelay,
            Backlog = given.Backlog,
            MaxReadBufferSize = given.MaxReadBufferSize,
            MaxWriteBufferSize = given.MaxWriteBufferSize,
            UnsafePreferInlineScheduling = given.UnsafePreferInlineScheduling,
            CreateBoundListenSocket = wanted => socket = Bound(member, (IPEndPoint)wanted),
        }), loggers);
        var listener = await sockets.BindAsync(endpoint, cancellationToken); // listens from here on
        try
        {
            member.Serve(socket!);
            return new StandbyListener(listener, member, socket!);
        }
        catch
        {
            await listener.DisposeAsync();
            throw;
        }
    }

    private static Socket Bound(StandbyMember member, IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // As Kestrel does: "any" is both families.
            if (endpoint.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            member.Bind(socket, endpoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
