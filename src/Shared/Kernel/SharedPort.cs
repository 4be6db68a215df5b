using System.Buffers.Binary;
using System.Net.Sockets;

namespace Maplog.Kernel;

/// <summary>Socket operations for sockets that share an address and port (SO_REUSEPORT), beyond .NET's own options.</summary>
public static class SharedPort
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int ReusePort = 15; // SO_REUSEPORT
    private const int BindToIfIndex = 62; // SO_BINDTOIFINDEX
    private const int TcpLevel = 6; // IPPROTO_TCP
    private const int TcpInfo = 11; // TCP_INFO
    private const int Unacknowledged = 24; // offset of tcpi_unacked in struct tcp_info

    private static readonly TimeSpan FallbackPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Lets other sockets of the same user have the same address and port. Before the socket is bound.</summary>
    public static void Allow(Socket socket)
    {
        int yes = 1;
        socket.SetRawSocketOption(SocketLevel, ReusePort, System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in yes)));
    }

    /// <summary>
    /// Puts a socket into an array of sockets (<see cref="MapType.ReusePortSockArray"/>). A TCP socket must listen, and a UDP socket must
    /// be bound.
    /// </summary>
    public static void Put(BpfMap sockets, int slot, Socket socket)
    {
        Span<byte> key = stackalloc byte[4], value = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(key, slot);
        BinaryPrimitives.WriteInt64LittleEndian(value, (long)socket.SafeHandle.DangerousGetHandle());
        int errno = sockets.TryUpdate(key, value);
        GC.KeepAlive(socket);
        if (errno == 0)
            return;
        throw new KernelException($"Cannot put a socket into slot {slot} of {sockets}: " + errno switch
        {
            Errno.Einval => "it does not listen (TCP) or is not bound (UDP) yet, or has no SO_REUSEPORT; begin to listen first.",
            Errno.Ebusy => "the socket is in an array already; a socket can be in one array only.",
            Errno.Eperm => $"{Privileges.Explain("CAP_BPF")}.",
            _ => "the kernel refused it.",
        }, errno);
    }

    /// <summary>The cookie of the socket in a slot, the kernel's number for it while this boot lasts; 0 if there is none.</summary>
    public static ulong Cookie(BpfMap sockets, int slot)
    {
        Span<byte> key = stackalloc byte[4], value = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(key, slot);
        return sockets.Lookup(key, value) ? BinaryPrimitives.ReadUInt64LittleEndian(value) : 0;
    }

    /// <summary>Removes a socket from an array; the socket still listens.</summary>
    public static void Remove(BpfMap sockets, int slot)
    {
        Span<byte> key = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(key, slot);
        _ = sockets.Delete(key);
    }

    /// <summary>
    /// Returns when every packet for which a program has chosen by now has reached the chosen socket. The kernel does not rest between
    /// choice and delivery, however long its CPU is preempted, and this call waits for all deliveries that have begun (membarrier(2)).
    /// </summary>
    public static void AwaitDeliveries()
    {
        if (Native.AwaitReaders() < 0)
            Thread.Sleep(FallbackPause); // a kernel that has not got it, or keeps CPUs free of ticks
    }

    /// <summary>
    /// Closes a UDP socket so that no datagram is lost with it. A closing socket leaves the sockets that share its port before it
    /// leaves the kernel's table of ports; a datagram that arrives between the two asks no program and goes to the closing socket.
    /// A socket that is bound to a network interface that does not exist matches no datagram, so nothing arrives there.
    /// </summary>
    public static void CloseReceiver(Socket socket)
    {
        try
        {
            int nowhere = int.MaxValue;
            socket.SetRawSocketOption(SocketLevel, BindToIfIndex, System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in nowhere)));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Bound to an interface already, without CAP_NET_RAW; or closed. The socket closes as any other.
        }
        socket.Dispose();
    }

    /// <summary>Connections that a listening TCP socket has and nobody has accepted yet.</summary>
    public static int Waiting(Socket listener)
    {
        Span<byte> info = stackalloc byte[Unacknowledged + 4];
        int length = listener.GetRawSocketOption(TcpLevel, TcpInfo, info);
        return length >= info.Length ? BinaryPrimitives.ReadInt32LittleEndian(info[Unacknowledged..]) : 0;
    }
}
