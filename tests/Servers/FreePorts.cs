using System.Net;
using System.Net.Sockets;

namespace Maplog.Servers;

/// <summary>
/// TCP ports nobody listens on. Taken from below the kernel's ephemeral range (from 32768), so that no outgoing connection
/// can sit on the port of a server while it is being restarted.
/// </summary>
public static class FreePorts
{
    private const int First = 15_000;
    private const int End = 32_000;

    public static int[] Take(string address, int count)
    {
        var listeners = new List<TcpListener>();
        try
        {
            while (listeners.Count < count)
            {
                var listener = new TcpListener(IPAddress.Parse(address), Random.Shared.Next(First, End));
                try
                {
                    listener.Start();
                    listeners.Add(listener);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
                {
                    listener.Dispose();
                }
            }
            return [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        }
        finally
        {
            listeners.ForEach(l => l.Dispose());
        }
    }
}
