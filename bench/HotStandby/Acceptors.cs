using System.Net;
using System.Net.Sockets;
using Maplog.HotStandby;

namespace Maplog.StandbyRate;

/// <summary>Two listeners on one port, each with a thread that accepts and closes.</summary>
internal sealed class Acceptors : IDisposable
{
    private readonly List<Socket> _listeners = [];
    private readonly List<Thread> _threads = [];

    /// <param name="address">Where both listen.</param>
    /// <param name="prepare">Binds a socket.</param>
    /// <param name="serve">Called once it listens.</param>
    /// <param name="admit">Whether a connection is a client's.</param>
    public Acceptors(IPEndPoint address, Action<int, Socket> prepare, Action<int, Socket> serve, Func<int, Socket, Socket, bool> admit)
    {
        for (var i = 0; i < 2; i++)
        {
            var (number, socket) = (i, new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
            prepare(number, socket);
            socket.Listen(4096);
            var thread = new Thread(() => Accept(socket, c => admit(number, socket, c))) { IsBackground = true };
            thread.Start();
            serve(number, socket);
            _listeners.Add(socket);
            _threads.Add(thread);
        }
    }

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
                    // The client is gone already.
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    public static StandbyMember Member(string root, int number, StandbyPolicy policy) => StandbyMember.Join(new StandbyOptions
    {
        PinRoot = root,
        Group = "rate",
        Member = $"member-{number}",
        Rank = number,
        Policy = policy,
    });
}
