using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Maplog.StandbyRate;

/// <summary>Connects, waits until the server has closed, and again.</summary>
internal static class Clients
{
    /// <returns>Connections per second.</returns>
    public static double Measure(IPEndPoint address, TimeSpan time) => Measure(address, time, out _);

    /// <inheritdoc cref="Measure(IPEndPoint, TimeSpan)"/>
    public static double Measure(IPEndPoint address, TimeSpan time, out long connections, int clients = 4)
    {
        var watch = Stopwatch.StartNew();
        var counts = new long[clients];
        var threads = Enumerable.Range(0, clients).Select(c => new Thread(() =>
        {
            while (watch.Elapsed < time)
            {
                Connect(address);
                counts[c]++;
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        connections = counts.Sum();
        return connections / watch.Elapsed.TotalSeconds;
    }

    private static void Connect(IPEndPoint address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        socket.Connect(address);
        var end = new byte[1];
        socket.Receive(end);
    }
}
