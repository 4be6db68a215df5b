using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Maplog.Tests.HotStandby;

/// <summary>Asks for a line.</summary>
internal static class Client
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The member that answers a new connection.</summary>
    public static async Task<string> AskAsync(IPEndPoint address, IPAddress? from = null) => (await TryAsync(address, from)) switch
    {
        { Outcome: Outcome.Answered } reply => reply.Member,
        var reply => throw new InvalidOperationException($"A connection was {reply.Outcome}."),
    };

    public static async Task<Reply> TryAsync(IPEndPoint address, IPAddress? from = null)
    {
        using var socket = Open(address, from);
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            await socket.ConnectAsync(address, patience.Token);
            return await FinishAsync(socket, patience.Token);
        }
        catch (SocketException e)
        {
            return new Reply(e.SocketErrorCode == SocketError.ConnectionRefused ? Outcome.Refused : Outcome.Reset);
        }
        catch (OperationCanceledException)
        {
            return new Reply(Outcome.Unanswered);
        }
    }

    /// <summary>Connected, and silent so far.</summary>
    public static async Task<Socket> ConnectAsync(IPEndPoint address)
    {
        var socket = Open(address, null);
        await socket.ConnectAsync(address).WaitAsync(Patience);
        return socket;
    }

    /// <summary>Says something on a connection and reads the answer.</summary>
    public static async Task<Reply> FinishAsync(Socket socket, CancellationToken cancellation = default)
    {
        await socket.SendAsync("ask\n"u8.ToArray(), cancellation);
        var buffer = new byte[64];
        var length = 0;
        for (int read; (read = await socket.ReceiveAsync(buffer.AsMemory(length), cancellation)) > 0;)
            length += read;
        return Reply.Parse(Encoding.ASCII.GetString(buffer, 0, length));
    }

    /// <summary>The member that answers a datagram; null if none does.</summary>
    public static async Task<string?> AskByDatagramAsync(IPEndPoint address, Socket? from = null) => (await TryDatagramAsync(address, from)) switch
    {
        { Outcome: Outcome.Answered } reply => reply.Member,
        _ => null,
    };

    public static async Task<Reply> TryDatagramAsync(IPEndPoint address, Socket? from = null)
    {
        var socket = from ?? new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await socket.SendToAsync("ask\n"u8.ToArray(), address, patience.Token);
            var buffer = new byte[64];
            var received = await socket.ReceiveFromAsync(buffer, address, patience.Token);
            return Reply.Parse(Encoding.ASCII.GetString(buffer, 0, received.ReceivedBytes));
        }
        catch (SocketException e)
        {
            return new Reply(e.SocketErrorCode == SocketError.ConnectionRefused ? Outcome.Refused : Outcome.Reset);
        }
        catch (OperationCanceledException)
        {
            return new Reply(Outcome.Unanswered);
        }
        finally
        {
            if (from is null)
                socket.Dispose();
        }
    }

    private static Socket Open(IPEndPoint address, IPAddress? from)
    {
        // A reset at the end leaves no TIME_WAIT: tens of thousands of connections share a few ports.
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        if (from is not null)
            socket.Bind(new IPEndPoint(from, 0));
        return socket;
    }
}
