using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Maplog.HotStandby.AspNetCore;

/// <summary>A listener of Kestrel: its accepts are the heartbeat, and it drains before it closes.</summary>
internal sealed class StandbyListener(IConnectionListener inner, StandbyMember member, Socket socket) : IConnectionListener
{
    public EndPoint EndPoint => inner.EndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var connection = await inner.AcceptAsync(cancellationToken);
            if (connection is null)
                return null;
            if (connection.RemoteEndPoint is not IPEndPoint from || !member.IsPulse(socket, from, connection.LocalEndPoint as IPEndPoint))
                return connection;
            await connection.DisposeAsync();
        }
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        // Kestrel still accepts while this waits; the kernel moves connections that stay in the queue to another member. Only this socket
        // drains: if the configuration removes one endpoint, the others continue to serve.
        try
        {
            await member.DrainAsync(socket, cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // There is no time to wait, for example because another endpoint could not be bound; or the member has left already.
        }
        await inner.UnbindAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
