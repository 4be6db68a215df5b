using System.Net;
using System.Net.Sockets;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>A socket of a member, its place in the group's endpoint, and the heartbeat of who serves on it.</summary>
internal sealed class MemberPort(StandbyEndpoint endpoint, Socket socket, IPEndPoint address, int slot)
{
    private volatile bool _left;

    public StandbyEndpoint Endpoint => endpoint;

    public Socket Socket => socket;

    public IPEndPoint Address => address;

    /// <summary>Null: it does not serve yet, or makes none.</summary>
    public Pulse? Pulse { get; set; }

    public ref PortRecord Record => ref endpoint.Port(slot);

    public bool Serves { get; private set; }

    public bool HasLeft => _left;

    public bool IsClosed => socket.SafeHandle.IsClosed;

    /// <summary>What the kernel has given the socket and nobody has taken from it.</summary>
    public int Waiting
    {
        get
        {
            try
            {
                return IsClosed ? 0 : socket.ProtocolType == ProtocolType.Udp ? socket.Available : SharedPort.Waiting(socket);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException)
            {
                return 0; // closed at this moment
            }
        }
    }

    public void Enter()
    {
        SharedPort.Put(endpoint.Sockets, slot, socket);
        Serves = true;
    }

    public void Beat()
    {
        if (!_left)
            Volatile.Write(ref Record.Beat, Clock.Now());
    }

    /// <summary>Gives the place up, which another may have from now on.</summary>
    public void Leave()
    {
        if (_left)
            return;
        _left = true;
        SharedPort.Remove(endpoint.Sockets, slot);
        endpoint.Dispose();
    }

    /// <summary>Its socket is closed, and another of the member is to have the place.</summary>
    public void GiveWay()
    {
        _left = true;
        Pulse?.Cancel();
        endpoint.Dispose();
    }
}
