using System.Net;
using System.Net.Sockets;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>A socket of a member, its place in the group's endpoint, and the heartbeat of the code that serves on it.</summary>
internal sealed class MemberPort(StandbyEndpoint endpoint, Socket socket, IPEndPoint address, int slot)
{
    private volatile bool _left;

    public StandbyEndpoint Endpoint => endpoint;

    public Socket Socket => socket;

    public IPEndPoint Address => address;

    /// <summary>Null: the member does not serve yet, or sends no pulses.</summary>
    public Pulse? Pulse { get; set; }

    public ref PortRecord Record => ref endpoint.Port(slot);

    public bool Serves { get; private set; }

    public bool HasLeft => _left;

    public bool IsClosed => socket.SafeHandle.IsClosed;

    /// <summary>What the kernel has given the socket and no code has taken yet.</summary>
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

    /// <summary>Releases the place, so that another socket can have it.</summary>
    public void Leave()
    {
        if (_left)
            return;
        _left = true;
        SharedPort.Remove(endpoint.Sockets, slot);
        endpoint.Dispose();
    }

    /// <summary>The socket is closed, and another socket of the member takes the place.</summary>
    public void GiveWay()
    {
        _left = true;
        Pulse?.Cancel();
        endpoint.Dispose();
    }
}
