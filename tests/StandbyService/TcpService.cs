using System.Net;
using System.Net.Sockets;
using System.Text;
using Maplog.HotStandby;

namespace Maplog.Tests.StandbyService;

/// <summary>Answers each connection that says something with its member's name and process, on a plain socket.</summary>
internal sealed class TcpService(StandbyOptions options, string address, bool defer) : IService
{
    private const int Backlog = 4096;
    private readonly byte[] _answer = Encoding.ASCII.GetBytes($"{options.Member} {Environment.ProcessId}\n");
    private Socket _listener = null!;
    private StandbyMember _member = null!;
    private Task _serving = Task.CompletedTask;
    private int _underWay;
    private volatile bool _hangs;

    public Task StartAsync()
    {
        var endpoint = IPEndPoint.Parse(address);
        _member = StandbyMember.Join(options);
        _listener = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _member.Bind(_listener, endpoint);
        if (defer)
            _listener.SetRawSocketOption(6, 9 /* TCP_DEFER_ACCEPT */, BitConverter.GetBytes(30));
        _listener.Listen(Backlog);
        _member.Serve(_listener);
        _serving = Task.Run(ServeAsync);
        return Task.CompletedTask;
    }

    public async Task StopAsync()
    {
        await _member.DrainAsync();
        await CloseAsync();
        while (Volatile.Read(ref _underWay) > 0)
            await Task.Delay(1);
        await _member.DisposeAsync();
    }

    public async Task CloseAsync()
    {
        _listener.Dispose();
        if (!_hangs)
            await _serving;
    }

    public void Hang() => _hangs = true;

    private async Task ServeAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return; // closed
            }
            if (_hangs)
                Thread.Sleep(Timeout.Infinite);
            if (!_member.Admit(_listener, client))
                continue;
            Interlocked.Increment(ref _underWay);
            _ = AnswerAsync(client);
        }
    }

    private async Task AnswerAsync(Socket client)
    {
        try
        {
            if (await client.ReceiveAsync(new byte[16]) > 0)
                await client.SendAsync(_answer);
            client.Shutdown(SocketShutdown.Send);
            // Its end first: closed over unread bytes, a socket resets what was sent.
            while (await client.ReceiveAsync(new byte[16]) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // The client left.
        }
        finally
        {
            client.Dispose();
            Interlocked.Decrement(ref _underWay);
        }
    }
}
