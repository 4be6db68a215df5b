using System.Net;
using System.Net.Sockets;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>
/// This process in a group. For each socket one call before it listens (<see cref="Bind"/>) and one after (<see cref="Serve"/>);
/// then <see cref="Admit"/> for each connection that was accepted, which writes the heartbeat too. For any number of threads.
/// Dispose it when the sockets are closed, or are to be: from then on it is chosen no more.
/// </summary>
public sealed class StandbyMember : IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly StandbyOptions _options;
    private readonly FolderLock _slot;
    private readonly List<Pulse> _pulses = [];
    private readonly Lock _lock = new();
    private readonly SelfCheck _checks;
    private volatile MemberPort[] _ports = []; // read without the lock by who serves
    private bool _leaving;

    private StandbyMember(StandbyOptions options, StandbyGroup group, int slot, FolderLock held)
    {
        (_options, Group, Slot, _slot) = (options, group, slot, held);
        _checks = new SelfCheck(this, options);
    }

    /// <summary>The group it is in.</summary>
    public StandbyGroup Group { get; }

    /// <summary>Its place in the group's arrays.</summary>
    public int Slot { get; }

    public string Name => _options.Member;

    /// <summary>Whether it takes no new connections, by its own word or an operator's.</summary>
    public bool IsDraining => Record.Draining != 0;

    /// <summary>Whether the kernel gives the connections of a closing listener to another, on every port so far; see <c>sk_reuseport/migrate</c>.</summary>
    public bool Migrates
    {
        get
        {
            lock (_lock)
                return _ports.All(p => p.Endpoint.Migrates);
        }
    }

    /// <summary>For tests, which end it.</summary>
    internal SelfCheck Checks => _checks;

    internal ref MemberRecord Record => ref Group.Record(Slot);

    /// <summary>Takes a slot in the group; makes the group if it is the first. It is chosen once <see cref="Serve"/> is called.</summary>
    /// <exception cref="StandbyException">The options are wrong, the group is another's, or the name is taken by a live process.</exception>
    /// <exception cref="KernelException">The kernel refused; as a rule a capability is missing.</exception>
    public static StandbyMember Join(StandbyOptions options)
    {
        if (options.Mistakes() is { Count: > 0 } mistakes)
            throw new StandbyException($"A member cannot join a hot-standby group with these options. {string.Join(" ", mistakes)}");
        Bpffs.EnsureMounted(options.PinRoot);
        var group = StandbyGroup.OpenOrMake(options.PinRoot, options.Group);
        try
        {
            using var locked = Seats.Lock(group, Patience);
            var (slot, held) = Seats.Take(group, options);
            return new StandbyMember(options, group, slot, held);
        }
        catch
        {
            group.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The call before it listens: lets the socket share its port, and binds it.
    /// All members must run as the same user, or the kernel refuses the port.
    /// </summary>
    public void Bind(Socket socket, IPEndPoint endpoint)
    {
        if (endpoint.Port == 0)
            throw new StandbyException($"Member {Name} of group {Group.Name} cannot listen on any free port: the port is what the members share; name one.");
        var opened = StandbyEndpoint.OpenOrMake(Group, socket.ProtocolType, endpoint, _options.Migrate);
        try
        {
            SharedPort.Allow(socket);
            socket.Bind(endpoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            opened.Dispose();
            throw new StandbyException(
                $"Member {Name} of group {Group.Name} cannot bind {EndpointName.ForPeople(opened.Name)}: a process that is not in the group holds that port, without SO_REUSEPORT or as another user. "
                + $"'ss -lnp sport = :{endpoint.Port}' names it; stop it, or run all members as one user. ({Errno.Name(Errno.Eaddrinuse)})", e);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
        if (!opened.Migrates)
        {
            _options.Complain?.Invoke(
                $"Group {Group.Name} cannot move connections that wait in a listener's queue at {EndpointName.ForPeople(opened.Name)} when it closes: its program there was made on a kernel without sk_reuseport/migrate (Linux 5.14). "
                + "They are reset; a drain waits until its queue is empty. On a newer kernel remove the group when its members have stopped, and it is made anew.");
        }
        lock (_lock)
            _ports = [.. _ports, new MemberPort(opened, socket, endpoint, Slot)];
    }

    /// <summary>The call after it listens (UDP: after <see cref="Bind"/>): from now on the group's program chooses, and gives it connections if it is its turn.</summary>
    public void Serve(Socket socket)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_leaving, this);
            var port = Port(socket);
            // Not before it listens: a socket that has a program by then is one of another set to the kernel, and its port is taken.
            // All but the first member join a set that has the program already; the first is alone in its set until it attaches.
            port.Endpoint.Program.AttachTo(socket);
            port.Record.Pulse = 0;
            port.Beat();
            SharedPort.Put(port.Endpoint.Sockets, Slot, socket);
            if (_options.Pulse && _options.Heartbeat)
                _pulses.Add(new Pulse(this, _options, port));
        }
        _checks.Start();
    }

    /// <summary>The heartbeat of all its sockets, a store to memory each. To be called by what serves: where connections are accepted, requests answered.</summary>
    public void Beat()
    {
        foreach (var port in _ports)
            port.Beat();
    }

    /// <summary>The heartbeat of one of its sockets: where one hangs and others do not, that one alone is passed over.</summary>
    public void Beat(Socket socket) => Port(socket).Beat();

    /// <summary>Writes the listener's heartbeat, and tells a client from a pulse, which it closes.</summary>
    /// <param name="listener">Who accepted.</param>
    /// <param name="accepted">What its accept gave.</param>
    /// <returns>True: a client, to be served.</returns>
    public bool Admit(Socket listener, Socket accepted)
    {
        var port = Port(listener);
        port.Beat();
        if (accepted.RemoteEndPoint is not IPEndPoint from || accepted.LocalEndPoint is not IPEndPoint to || !HotStandby.Pulse.IsOf(port, from, to))
            return true;
        accepted.Dispose();
        return false;
    }

    /// <summary>The same for a server that has no socket to close, or a datagram: writes the heartbeat.</summary>
    /// <param name="socket">The listener, or who received.</param>
    /// <param name="from">The sender.</param>
    /// <param name="to">Where it was received; null if that is not known.</param>
    /// <returns>True: a pulse, to be closed or ignored.</returns>
    public bool IsPulse(Socket socket, IPEndPoint from, IPEndPoint? to = null)
    {
        var port = Port(socket);
        port.Beat();
        return HotStandby.Pulse.IsOf(port, from, to);
    }

    /// <summary>From now on connections are given to others, if there are any.</summary>
    public void Drain() => Record.Draining = 1;

    /// <summary>Takes connections again after <see cref="Drain"/>.</summary>
    public void Resume() => Record.Draining = 0;

    /// <summary>
    /// Drains, and waits until all connections that wait to be accepted are, and all datagrams that wait are received, at most for the time
    /// that is set. Then close the sockets: there is no way back.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellation = default)
    {
        Drain();
        await StopPulsesAsync();
        var until = Clock.Now() + Clock.Of(_options.Settle);
        do
            await Task.Delay(5, cancellation); // what was on its way when the draining began is there then
        while (Clock.Now() < until && Waiting() > 0);
    }

    /// <summary>Says whether the member is well, beside the check of the options.</summary>
    public void SetHealthy(bool healthy) => Record.Unhealthy = healthy ? 0u : 1;

    /// <summary>Says whether the member may go before others. Where the options have replicas or a check of it, their word is the next.</summary>
    public void SetEligible(bool eligible) => Volatile.Write(ref Record.Eligible, eligible ? MemberRecord.Always : 0);

    /// <summary>Leaves the group: chosen no more, its slot free. Sockets stay the caller's.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_leaving)
                return;
            _leaving = true;
        }
        await StopPulsesAsync();
        await _checks.StopAsync();
        lock (_lock)
        {
            foreach (var port in _ports)
                port.Leave();
            _ports = [];
            Volatile.Write(ref Record.Incarnation, 0);
            _slot.Dispose();
            Group.Dispose();
            _pulses.ForEach(p => p.Dispose());
            _checks.Dispose();
        }
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private MemberPort Port(Socket socket)
    {
        foreach (var port in _ports)
        {
            if (ReferenceEquals(port.Socket, socket))
                return port;
        }
        ObjectDisposedException.ThrowIf(_leaving, this);
        throw new StandbyException($"Member {Name} of group {Group.Name} cannot serve on a socket that was not bound by it: call Bind before it listens, and Serve after.");
    }

    private async Task StopPulsesAsync()
    {
        List<Pulse> pulses;
        lock (_lock)
            pulses = [.. _pulses];
        await Task.WhenAll(pulses.Select(p => p.StopAsync()));
    }

    private int Waiting() => _ports.Where(p => !p.Socket.SafeHandle.IsClosed)
        .Sum(p => p.Socket.ProtocolType == ProtocolType.Udp ? p.Socket.Available : SharedPort.Waiting(p.Socket));
}
