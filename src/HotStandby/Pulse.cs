using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Maplog.HotStandby;

/// <summary>
/// The member's own client at one of its ports: it connects to the member's own listener, by a source port that the program knows
/// and gives to nobody else. It writes no heartbeat itself; who accepts it does. So a heartbeat says that this process accepts and serves there.
/// </summary>
internal sealed class Pulse : IDisposable
{
    private const int PerTimeout = 4;

    private readonly StandbyMember _member;
    private readonly StandbyOptions _options;
    private readonly MemberPort _port;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public Pulse(StandbyMember member, StandbyOptions options, MemberPort port)
    {
        (_member, _options, _port) = (member, options, port);
        _running = Task.Run(RunAsync);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public void Dispose() => _stop.Dispose();

    /// <summary>Whether what came to a port is its member's pulse.</summary>
    public static bool IsOf(MemberPort port, IPEndPoint from, IPEndPoint? to)
    {
        // Another's, moved here from its queue, is a client that says nothing; and the port of one that died may be a client's by now.
        return port.Record.Pulse == NetworkOrder(from.Port) && (to is null || from.Address.Equals(to.Address));
    }

    private static uint NetworkOrder(int port) => BinaryPrimitives.ReverseEndianness((ushort)port);

    // Where a socket that listens on every address is reached from the same host.
    private static IPEndPoint Itself(IPEndPoint address) => new(
        address.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address.Address, address.Port);

    private async Task RunAsync()
    {
        var address = Itself(_port.Address);
        while (!_stop.IsCancellationRequested)
        {
            var pause = Timeout() / PerTimeout;
            var begun = Clock.Now();
            try
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                patience.CancelAfter(Timeout());
                await BeatOnceAsync(_port.Socket.ProtocolType, address, patience.Token);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // No heartbeat comes of it, which is what there is to say.
                if (e is SocketException && !_stop.IsCancellationRequested)
                    _options.Complain?.Invoke($"Member {_member.Name} of group {_member.Group.Name} cannot reach its own listener at {address}: {e.Message}.");
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
        _port.Record.Pulse = NetworkOrder(((IPEndPoint)socket.LocalEndPoint!).Port);
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
            _port.Record.Pulse = 0; // before the port is free for a client
        }
    }

    private TimeSpan Timeout() => _options.Timeout ?? _member.Group.Timeout;
}
