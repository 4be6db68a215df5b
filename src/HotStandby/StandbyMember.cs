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

    /// <summary>The group it is in.</summary>
    public StandbyGroup Group { get; }

    /// <summary>Its place in the group's arrays.</summary>
    public int Slot { get; }

    public string Name => _options.Member;

    /// <summary>Whether it takes no new connections, by its own word or an operator's.</summary>
    public bool IsDraining => _leaving || Record.Draining != 0;

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
    /// The call before it listens: lets the socket share its port, and binds it.
    /// All members must run as the same user, or the kernel refuses the port.
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

    /// <summary>The call after it listens (UDP: after <see cref="Bind"/>): from now on the group's program chooses, and gives it connections if it is its turn.</summary>
    /// <exception cref="StandbyException">It was not bound by <see cref="Bind"/>, or the member has a socket there already, or another group has.</exception>
    public void Serve(Socket socket)
    {
        // The kernel asks one program at an address: of two groups that come at once one must see the other.
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
            // Not before it listens: a socket that has a program by then is one of another set to the kernel, and its port is taken.
            // All but the first member join a set that has the program already; the first is alone in its set until it attaches.
            port.Endpoint.Program.AttachTo(socket);
            port.Record.Pulse = 0;
            port.Beat();
            port.Enter();
            if (_options.Pulse && _options.Heartbeat)
                port.Pulse = new Pulse(this, _options, port);
            _checks.Start();
        }
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
    public void Drain() => Set(ref Record.Draining, 1u);

    /// <summary>Takes connections again after <see cref="Drain"/>.</summary>
    public void Resume() => Set(ref Record.Draining, 0u);

    /// <summary>
    /// Drains, and waits until all connections that wait to be accepted are, and all datagrams that wait are received, at most for the time
    /// that is set. Then close the sockets: there is no way back.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellation = default)
    {
        Drain();
        await SettleAsync(_ports, cancellation);
    }

    /// <summary>The same for one of its sockets: then close that one. The others serve on.</summary>
    public async Task DrainAsync(Socket socket, CancellationToken cancellation = default)
    {
        var port = Port(socket);
        lock (_lock)
        {
            ThrowIfLeft();
            // A member that drains as a whole stays where it is until the socket closes: where nobody is well it is the least bad.
            if (Record.Draining == 0)
                port.Leave();
        }
        await SettleAsync([port], cancellation);
    }

    /// <summary>
    /// Closes one of its sockets. A UDP socket is to be closed by this call after <see cref="DrainAsync(CancellationToken)"/>, when
    /// the last answer is sent: a plain close loses a datagram that arrives while the kernel takes the socket out of its tables.
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

    /// <summary>Says whether the member is well. Where the options have a check of it, its word is the next.</summary>
    public void SetHealthy(bool healthy) => Set(ref Record.Unhealthy, healthy ? 0u : 1);

    /// <summary>Says whether the member may go before others. Where the options have replicas or a check of it, their word is the next.</summary>
    public void SetEligible(bool eligible) => Set(ref Record.Eligible, eligible ? MemberRecord.Always : 0);

    /// <summary>Leaves the group: chosen no more, its slot free. Sockets stay the caller's.</summary>
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

    // Whoever has left may have another in his slot.
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
        // A draining member is still chosen while the others look worse, a standby that was busy for a moment for example. The sockets
        // close now: the member leaves the set, and what the program chose before that is received too.
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
        // Packets for which the program has chosen are in the sockets' queues afterwards.
        await Task.Run(SharedPort.AwaitDeliveries, cancellation);
        do
            await Task.Delay(5, cancellation);
        while (Clock.Now() < until && ports.Sum(p => p.Waiting) > 0);
    }

    private static Task StopPulsesAsync(MemberPort[] ports) => Task.WhenAll(ports.Select(p => p.Pulse?.StopAsync() ?? Task.CompletedTask));
}
