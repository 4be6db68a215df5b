using System.Net;
using System.Net.Sockets;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>
/// This process in a group. Each socket needs one call before it listens (<see cref="Bind"/>) and one after (<see cref="Serve"/>), then
/// <see cref="Admit"/> for each accepted connection, which also writes the heartbeat. The class is safe for any number of threads. Dispose
/// it when the sockets are closed, or will be: from then on the program no longer chooses it.
/// </summary>
public sealed class StandbyMember : IAsyncDisposable, IDisposable
{
    private readonly StandbyOptions _options;
    private readonly FolderLock _slot;
    private readonly Lock _lock = new();
    private readonly SelfCheck _checks;
    private volatile MemberPort[] _ports = []; // read without the lock by who serves
    private volatile bool _leaving;

    private StandbyMember(StandbyOptions options, StandbyGroup group, int slot, FolderLock held)
    {
        (_options, Group, Slot, _slot) = (options, group, slot, held);
        _checks = new SelfCheck(this, options);
    }

    /// <summary>The group of the member.</summary>
    public StandbyGroup Group { get; }

    /// <summary>The member's place in the group's arrays.</summary>
    public int Slot { get; }

    public string Name => _options.Member;

    /// <summary>Whether the member takes no new connections, because it or an operator asked for this.</summary>
    public bool IsDraining => _leaving || Record.Draining != 0;

    /// <summary>
    /// Whether the kernel moves the connections of a closing listener to another one, on every port so far; see
    /// <c>sk_reuseport/migrate</c>.
    /// </summary>
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

    /// <summary>
    /// Takes a slot in the group; the first member creates the group. The program can choose the member after <see cref="Serve"/>.
    /// </summary>
    /// <exception cref="StandbyException">
    /// The options are wrong, the group belongs to another version, or a live process has the name.
    /// </exception>
    /// <exception cref="KernelException">The kernel refused; usually a capability is missing.</exception>
    public static StandbyMember Join(StandbyOptions options)
    {
        if (options.Mistakes() is { Count: > 0 } mistakes)
            throw new StandbyException($"A member cannot join a hot-standby group with these options. {string.Join(" ", mistakes)}");
        Bpffs.EnsureMounted(options.PinRoot);
        var (group, locked) = StandbyGroup.OpenLocked(options.PinRoot, options.Group);
        using (locked)
        {
            try
            {
                var (slot, held) = Seats.Take(group, options);
                return new StandbyMember(options, group, slot, held);
            }
            catch
            {
                group.Dispose();
                throw;
            }
        }
    }

    /// <summary>
    /// The call before the socket listens: lets the socket share its port, and binds it. All members must run as the same user, otherwise
    /// the kernel refuses the port.
    /// </summary>
    public void Bind(Socket socket, IPEndPoint endpoint)
    {
        ThrowIfLeft();
        if (endpoint.Port == 0)
            throw new StandbyException($"Member {Name} of group {Group.Name} cannot listen on just any free port: the members share the port; name one.");
        var opened = StandbyEndpoint.OpenOrMake(Group, socket.ProtocolType, endpoint, _options.Migrate, out var replaced);
        var place = EndpointName.ForPeople(opened.Name);
        try
        {
            SharedPort.Allow(socket);
            socket.Bind(endpoint);
            lock (_lock)
            {
                ThrowIfLeft();
                _ports = [.. _ports.Where(p => !p.HasLeft || !p.IsClosed), new MemberPort(opened, socket, endpoint, Slot)];
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            opened.Dispose();
            throw new StandbyException(
                $"Member {Name} of group {Group.Name} cannot bind {place}: a process outside the group holds that port, without SO_REUSEPORT or as another user. "
                + $"'ss -lnp sport = :{endpoint.Port}' names the process; stop it, or run all members as one user. ({Errno.Name(Errno.Eaddrinuse)})", e);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
        if (replaced)
            _options.Say($"The program that chose for group {Group.Name} at {place} belonged to another build of maplog; from now on it is the program of member {Name}.");
        if (!opened.Migrates)
        {
            _options.Say(
                $"Group {Group.Name} cannot move connections that wait in the queue of a closing listener at {place}: this kernel has no sk_reuseport/migrate (Linux 5.14). "
                + "The kernel resets them; a drain waits until its queue is empty.");
        }
    }

    /// <summary>
    /// The call after the socket listens (UDP: after <see cref="Bind"/>): from now on the group's program chooses, and gives the socket
    /// connections if the member is due.
    /// </summary>
    /// <exception cref="StandbyException">
    /// The socket was not bound by <see cref="Bind"/>, or the member or another group has a socket there already.
    /// </exception>
    public void Serve(Socket socket)
    {
        // The kernel runs one program at an address: if two groups come at once, one must see the other.
        using var locked = Seats.Lock(Path.GetDirectoryName(Group.Folder)!);
        lock (_lock)
        {
            ThrowIfLeft();
            var port = Port(socket);
            var place = EndpointName.ForPeople(port.Endpoint.Name);
            if (GroupPins.OtherAt(Group, port.Endpoint.Name) is { } other)
                throw new StandbyException($"Member {Name} of group {Group.Name} cannot serve at {place}: members of group {other} serve there, and only one group's program can choose at an address. Choose another address, or stop those members; 'maplog standby list {other}' names them.");
            foreach (var earlier in _ports.Where(p => p != port && p.Serves && !p.HasLeft && p.Endpoint.Name == port.Endpoint.Name))
            {
                if (!earlier.IsClosed)
                    throw new StandbyException($"Member {Name} of group {Group.Name} has a socket at {place} already: a member can have one socket at an address. Close that socket first.");
                earlier.GiveWay();
            }
            // Not before the socket listens: the kernel puts a socket that has a program earlier into another set, where its port is taken.
            // All but the first member join a set that has the program already; the first member is alone in its set until it attaches the
            // program.
            port.Endpoint.Program.AttachTo(socket);
            port.Record.Pulse = 0;
            port.Beat();
            port.Enter();
            if (_options.Pulse && _options.Heartbeat)
                port.Pulse = new Pulse(this, _options, port);
            _checks.Start();
        }
    }

    /// <summary>
    /// The heartbeat of all sockets of the member, a store to memory each. Call it in the serving code: where connections are accepted and
    /// requests answered.
    /// </summary>
    public void Beat()
    {
        foreach (var port in _ports)
            port.Beat();
    }

    /// <summary>The heartbeat of one socket: if one socket hangs and others do not, the program passes over that socket only.</summary>
    public void Beat(Socket socket) => Port(socket).Beat();

    /// <summary>Writes the listener's heartbeat, and distinguishes a client from a pulse, which it closes.</summary>
    /// <param name="listener">The listener that accepted.</param>
    /// <param name="accepted">The accepted socket.</param>
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

    /// <summary>The same for a server that has no socket to close, or for a datagram: writes the heartbeat.</summary>
    /// <param name="socket">The listener, or the receiving socket.</param>
    /// <param name="from">The sender.</param>
    /// <param name="to">The receiving address; null if it is unknown.</param>
    /// <returns>True: a pulse, to be closed or ignored.</returns>
    public bool IsPulse(Socket socket, IPEndPoint from, IPEndPoint? to = null)
    {
        var port = Port(socket);
        port.Beat();
        return HotStandby.Pulse.IsOf(port, from, to);
    }

    /// <summary>From now on other members get the connections, if there are any.</summary>
    public void Drain() => Set(ref Record.Draining, 1u);

    /// <summary>Takes connections again after <see cref="Drain"/>.</summary>
    public void Resume() => Set(ref Record.Draining, 0u);

    /// <summary>
    /// Drains, and waits until all waiting connections are accepted and all waiting datagrams are received, at most for the configured
    /// time. Then close the sockets: the member cannot serve on them again.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellation = default)
    {
        Drain();
        await SettleAsync(_ports, cancellation);
    }

    /// <summary>The same for one socket: then close that socket. The other sockets continue to serve.</summary>
    public async Task DrainAsync(Socket socket, CancellationToken cancellation = default)
    {
        var port = Port(socket);
        lock (_lock)
        {
            ThrowIfLeft();
            // A member that drains completely stays in its place until the socket closes: if no member is well, it is the least bad one.
            if (Record.Draining == 0)
                port.Leave();
        }
        await SettleAsync([port], cancellation);
    }

    /// <summary>
    /// Closes one socket. Close a UDP socket by this call after <see cref="DrainAsync(CancellationToken)"/>, when the last answer is sent:
    /// a plain close loses a datagram that arrives while the kernel removes the socket from its tables.
    /// </summary>
    public void Close(Socket socket)
    {
        foreach (var port in _ports)
        {
            if (ReferenceEquals(port.Socket, socket))
                port.Leave();
        }
        if (socket.ProtocolType == ProtocolType.Udp)
            SharedPort.CloseReceiver(socket);
        else
            socket.Dispose();
    }

    /// <summary>Declares whether the member is well. If the options have a check of this, the check's next result replaces it.</summary>
    public void SetHealthy(bool healthy) => Set(ref Record.Unhealthy, healthy ? 0u : 1);

    /// <summary>
    /// Declares whether the member may go before others. If the options have replicas or a check of this, their next result replaces it.
    /// </summary>
    public void SetEligible(bool eligible) => Set(ref Record.Eligible, eligible ? MemberRecord.Always : 0);

    /// <summary>
    /// Leaves the group: the program no longer chooses the member, and its slot is free. The caller still owns the sockets.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_leaving)
                return;
            _leaving = true;
        }
        var ports = _ports;
        await StopPulsesAsync(ports);
        await _checks.StopAsync();
        lock (_lock)
        {
            foreach (var port in ports)
            {
                port.Leave();
                port.Pulse?.Dispose();
            }
            _ports = [];
            Volatile.Write(ref Record.Incarnation, 0);
            _slot.Dispose();
            Group.Dispose();
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
        ThrowIfLeft();
        throw new StandbyException($"Member {Name} of group {Group.Name} cannot serve on a socket that it did not bind: call Bind before the socket listens, and Serve afterwards.");
    }

    // After a member has left, another member may have its slot.
    private void ThrowIfLeft() => ObjectDisposedException.ThrowIf(_leaving, this);

    private void Set<T>(ref T field, T value)
        where T : struct
    {
        lock (_lock)
        {
            ThrowIfLeft();
            field = value;
        }
    }

    private async Task SettleAsync(MemberPort[] ports, CancellationToken cancellation)
    {
        await StopPulsesAsync(ports);
        var until = Clock.Now() + Clock.Of(_options.Settle);
        await EmptyAsync(ports, until, cancellation);
        // The program still chooses a draining member while the others look worse, for example while a standby is busy for a moment. The
        // sockets close now: the member leaves the set, and packets that the program assigned before are received too.
        lock (_lock)
        {
            if (_leaving)
                return;
            foreach (var port in ports)
                port.Leave();
        }
        await EmptyAsync(ports, until, cancellation);
    }

    private static async Task EmptyAsync(MemberPort[] ports, ulong until, CancellationToken cancellation)
    {
        // Afterwards the packets for which the program has chosen are in the sockets' queues.
        await Task.Run(SharedPort.AwaitDeliveries, cancellation);
        do
            await Task.Delay(5, cancellation);
        while (Clock.Now() < until && ports.Sum(p => p.Waiting) > 0);
    }

    private static Task StopPulsesAsync(MemberPort[] ports) => Task.WhenAll(ports.Select(p => p.Pulse?.StopAsync() ?? Task.CompletedTask));
}
