using System.Net;
using System.Net.Sockets;

namespace Maplog.HotStandby;

/// <summary>A socket of a member, its place in the group's endpoint, and the heartbeat of who serves on it.</summary>
internal sealed class MemberPort(StandbyEndpoint endpoint, Socket socket, IPEndPoint address, int slot)
{
    private volatile bool _left;

    public StandbyEndpoint Endpoint => endpoint;

    public Socket Socket => socket;

    public IPEndPoint Address => address;

    public ref PortRecord Record => ref endpoint.Port(slot);

    public void Beat()
    {
        if (!_left)
            Volatile.Write(ref Record.Beat, Clock.Now());
    }

    /// <summary>From now on the place may be another's.</summary>
    public void Leave()
    {
        _left = true;
        Kernel.SharedPort.Remove(endpoint.Sockets, slot);
        endpoint.Dispose();
    }
}
