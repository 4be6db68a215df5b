using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Maplog.HotStandby;

/// <summary>
/// The member's own client: it connects to the member's own listener, by a source port that the program knows and gives to
/// nobody else. It writes no heartbeat itself; who accepts it does. So a heartbeat says that this process accepts and serves.
/// </summary>
internal sealed class Pulse(StandbyMember member, StandbyOptions options) : IDisposable
{
    private const int PerTimeout = 4;

    private readonly List<(ProtocolType Protocol, IPEndPoint Address)> _places = [];
    private readonly CancellationTokenSource _stop = new();
    private Task? _running;

    public void Add(ProtocolType protocol, IPEndPoint address)
    {
        if (!options.Pulse || !options.Heartbeat || _stop.IsCancellationRequested)
            return;
        lock (_places)
            _places.Add((protocol, Itself(address)));
        _running ??= Task.Run(RunAsync);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        if (_running is { } running)
            await running;
    }

    public void Dispose() => _stop.Dispose();

    /// <summary>Whether a connection is our pulse.</summary>
    public bool Knows(IPEndPoint from, IPEndPoint? to)
    {
        // Another's, moved here from its queue, is a client that says nothing; and the port of one that died may be a client's by now.
        return member.Record.Pulse == NetworkOrder(from.Port) && (to is null || from.Address.Equals(to.Address));
    }

    private static uint NetworkOrder(int port) => BinaryPrimitives.ReverseEndianness((ushort)port);

    // Where a socket that listens on every address is reached from the same host.
    private static IPEndPoint Itself(IPEndPoint address) => new(
        address.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address.Address, address.Port);

    private async Task RunAsync()
    {
        for (var turn = 0; !_stop.IsCancellationRequested; turn++)
        {
            var pause = Timeout() / PerTimeout;
            (ProtocolType Protocol, IPEndPoint Address) place;
            lock (_places)
                place = _places[turn % _places.Count];
            var begun = Clock.Now();
            try
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                patience.CancelAfter(Timeout());
                await BeatOnceAsync(place.Protocol, place.Address, patience.Token);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // No heartbeat comes of it, which is what there is to say.
                if (e is SocketException && !_stop.IsCancellationRequested)
                    options.Complain?.Invoke($"Member {member.Name} of group {member.Group.Name} cannot reach its own listener at {place.Address}: {e.Message}.");
            }
            var rest = pause - TimeSpan.FromTicks((long)(Clock.Now() - begun) / TimeSpan.NanosecondsPerTick);
            if (rest > TimeSpan.Zero)
                await Task.Delay(rest, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task BeatOnceAsync(ProtocolType protocol, IPEndPoint address, CancellationToken cancellation)
    {
        var stream = protocol != ProtocolType.Udp;
        using var socket = new Socket(address.AddressFamily, stream ? SocketType.Stream : SocketType.Dgram, protocol);
        if (stream)
            socket.LingerState = new LingerOption(true, 0); // no TIME_WAIT for each
        socket.Bind(new IPEndPoint(address.Address, 0));
        member.Record.Pulse = NetworkOrder(((IPEndPoint)socket.LocalEndPoint!).Port);
        try
        {
            if (stream)
            {
                await socket.ConnectAsync(address, cancellation);
                await socket.ReceiveAsync(new byte[1], cancellation); // the end: it was accepted and closed
            }
            else
            {
                // Nobody answers; it must stay known until it is read.
                await socket.SendToAsync(ReadOnlyMemory<byte>.Empty, address, cancellation);
                await Task.Delay(Timeout() / (2 * PerTimeout), cancellation);
            }
        }
        finally
        {
            member.Record.Pulse = 0; // before the port is free for a client
        }
    }

    private TimeSpan Timeout() => options.Timeout ?? member.Group.Timeout;
}
