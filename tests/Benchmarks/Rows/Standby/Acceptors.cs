using System.Net;
using System.Net.Sockets;
using Maplog.HotStandby;
using Maplog.Kernel;

namespace Maplog.Benchmarks.Rows.Standby;

/// <summary>Listeners on one port, each with a thread that accepts and closes.</summary>
internal sealed class Acceptors : IDisposable
{
    private readonly List<Socket> _listeners = [];
    private readonly List<Thread> _threads = [];

    /// <param name="address">Where all listen.</param>
    /// <param name="count">How many.</param>
    /// <param name="bind">Binds a socket.</param>
    /// <param name="serve">Called once it listens.</param>
    /// <param name="admit">Whether a connection is a client's; what is not it closes.</param>
    public Acceptors(IPEndPoint address, int count, Action<int, Socket> bind, Action<int, Socket> serve, Func<int, Socket, Socket, bool> admit)
    {
        for (var i = 0; i < count; i++)
        {
            var (number, socket) = (i, new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
            bind(number, socket);
            socket.Listen(4096);
            var thread = new Thread(() => Accept(socket, client => admit(number, socket, client))) { IsBackground = true };
            thread.Start();
            serve(number, socket);
            _listeners.Add(socket);
            _threads.Add(thread);
        }
    }

    /// <summary>In no group: the kernel chooses among them.</summary>
    public static Acceptors Plain(IPEndPoint address, int count) => new(
        address, count,
        (_, socket) =>
        {
            SharedPort.Allow(socket);
            socket.Bind(address);
        },
        (_, _) => { }, (_, _, _) => true);

    public void Dispose()
    {
        _listeners.ForEach(l => l.Dispose());
        _threads.ForEach(t => t.Join());
    }

    private static void Accept(Socket listener, Func<Socket, bool> admit)
    {
        try
        {
            while (true)
            {
                using var client = listener.Accept();
                try
                {
                    admit(client);
                }
                catch (SocketException)
                {
                    // The client has gone already.
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or StandbyException)
        {
            // Closed.
        }
    }
}
