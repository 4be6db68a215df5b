using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Maplog.Benchmarks.Rows.Standby;

/// <summary>Clients that connect, wait until the server has closed, and connect again.</summary>
internal static class Connections
{
    private const int Clients = 4, LeastEach = 50;

    /// <returns>How many, and in which time.</returns>
    public static (long Count, TimeSpan Elapsed) Make(IPEndPoint address, TimeSpan time)
    {
        var watch = Stopwatch.StartNew();
        var counts = new long[Clients];
        var threads = Enumerable.Range(0, Clients).Select(c => new Thread(() =>
        {
            while (watch.Elapsed < time || counts[c] < LeastEach)
            {
                Connect(address);
                counts[c]++;
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        return (counts.Sum(), watch.Elapsed);
    }

    private static void Connect(IPEndPoint address)
    {
        // A reset at the end leaves no TIME_WAIT, which would use up the ports.
        // A side that forgets a connection fails the run, and does not hold it up for ever.
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0), ReceiveTimeout = 10_000 };
        socket.Connect(address);
        var end = new byte[1];
        socket.Receive(end);
    }
}
