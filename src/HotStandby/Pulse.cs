using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Maplog.HotStandby;

/// <summary>
/// The member's own client at one of its ports: it connects to the member's own listener from a source port that the program knows, so the
/// program gives the connection to this member only. The pulse writes no heartbeat itself; the accepting code does. So a heartbeat shows
/// that this process accepts and serves there.
/// </summary>
internal sealed class Pulse : IDisposable
{
    private const int PerTimeout = 4;
    private static readonly TimeSpan LongestStep = TimeSpan.FromMilliseconds(100);

    private readonly StandbyMember _member;
    private readonly StandbyOptions _options;
    private readonly MemberPort _port;
    private readonly bool _dual;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private IPEndPoint _itself;
    private string? _said;
    private int _unasked;

    public Pulse(StandbyMember member, StandbyOptions options, MemberPort port)
    {
        (_member, _options, _port) = (member, options, port);
        _itself = Itself(port.Address);
        _dual = port.Address.Address.Equals(IPAddress.IPv6Any) && port.Socket.DualMode;
        _running = Task.Run(RunAsync);
    }

    public void Cancel() => _stop.Cancel();

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public void Dispose() => _stop.Dispose();

    /// <summary>Whether a connection or datagram at a port is its member's pulse.</summary>
    public static bool IsOf(MemberPort port, IPEndPoint from, IPEndPoint? to)
    {
        // A pulse of another member that was moved here from its queue is a client that says nothing; and the port of a dead member may
        // belong to a client by now.
        return port.Record.Pulse == NetworkOrder(from.Port) && (to is null || from.Address.Equals(to.Address));
    }

    private static uint NetworkOrder(int port) => BinaryPrimitives.ReverseEndianness((ushort)port);

    // The address at which the same host reaches a socket that listens on every address.
    private static IPEndPoint Itself(IPEndPoint address) => new(
        address.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address.Address, address.Port);

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var begun = Clock.Now();
            var fault = await BeatAsync();
            if (fault != _said && !_stop.IsCancellationRequested)
            {
                _said = fault;
                if (fault is not null)
                    _options.Say(fault);
            }
            // In steps, because the timeout may become shorter meanwhile.
            for (TimeSpan rest; !_stop.IsCancellationRequested && (rest = Timeout() / PerTimeout - Since(begun)) > TimeSpan.Zero;)
                await Task.Delay(rest < LongestStep ? rest : LongestStep, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>What to report, in addition to the missing heartbeat.</returns>
    private async Task<string?> BeatAsync()
    {
        var begun = Clock.Now();
        var sent = false;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            patience.CancelAfter(Timeout());
            await BeatOnceAsync(() => sent = true, patience.Token);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable && _dual && _itself.Address.Equals(IPAddress.IPv6Loopback))
        {
            _itself = new IPEndPoint(IPAddress.Loopback, _itself.Port); // a host without IPv6, where [::] is IPv4 alone
            return await BeatAsync();
        }
        catch (SocketException e)
        {
            return $"Member {_member.Name} of group {_member.Group.Name} cannot reach its own listener at {_itself}: {e.Message}.";
        }
        catch (OperationCanceledException)
        {
            // The member hangs, or another program got the pulse.
        }
        _unasked = sent && Volatile.Read(ref _port.Record.Asked) < begun ? _unasked + 1 : 0;
        return _unasked < 2 ? null
            : $"Member {_member.Name} of group {_member.Group.Name} gets no connections: another program has been attached at {EndpointName.ForPeople(_port.Endpoint.Name)}, by a group under another root or a process with SO_REUSEPORT, "
              + $"and the kernel runs that program. 'ss -lnp sport = :{_itself.Port}' names the listening processes; stop the other process and start the members again.";
    }

    private async Task BeatOnceAsync(Action sent, CancellationToken cancellation)
    {
        var protocol = _port.Socket.ProtocolType;
        var stream = protocol != ProtocolType.Udp;
        using var socket = new Socket(_itself.AddressFamily, stream ? SocketType.Stream : SocketType.Dgram, protocol);
        if (stream)
            socket.LingerState = new LingerOption(true, 0); // no TIME_WAIT for each
        socket.Bind(new IPEndPoint(_itself.Address, 0));
        var port = NetworkOrder(((IPEndPoint)socket.LocalEndPoint!).Port);
        Volatile.Write(ref _port.Record.Pulse, port);
        try
        {
            if (stream)
            {
                await socket.ConnectAsync(_itself, cancellation);
                sent();
                await socket.ReceiveAsync(new byte[1], cancellation); // the end: it was accepted and closed
            }
            else
            {
                // Nobody answers; the program must know the port until the pulse is read.
                await socket.SendToAsync(ReadOnlyMemory<byte>.Empty, _itself, cancellation);
                await Task.Delay(Timeout() / (2 * PerTimeout), cancellation);
                sent();
            }
        }
        finally
        {
            // Before the port is free for a client. The record may belong to the next socket already.
            Interlocked.CompareExchange(ref _port.Record.Pulse, 0, port);
        }
    }

    private static TimeSpan Since(ulong moment) => TimeSpan.FromTicks((long)(Clock.Now() - moment) / TimeSpan.NanosecondsPerTick);

    private TimeSpan Timeout() => _options.Timeout ?? _member.Group.Timeout;
}
