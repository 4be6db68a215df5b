using System.Net;
using System.Net.Sockets;
using System.Text;
using Maplog.HotStandby;

namespace Maplog.Tests.StandbyService;

/// <summary>Answers each datagram with its member's name and process.</summary>
internal sealed class UdpService(StandbyOptions options, string address) : IService
{
    private readonly byte[] _answer = Encoding.ASCII.GetBytes($"{options.Member} {Environment.ProcessId}\n");
    private Socket _socket = null!;
    private StandbyMember _member = null!;
    private readonly CancellationTokenSource _stop = new();
    private Task _serving = Task.CompletedTask;
    private volatile bool _hangs;

    public Task StartAsync()
    {
        var endpoint = IPEndPoint.Parse(address);
        _member = StandbyMember.Join(options);
        _socket = new Socket(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 1 << 20 };
        _member.Bind(_socket, endpoint);
        _member.Serve(_socket);
        _serving = Task.Run(ServeAsync);
        return Task.CompletedTask;
    }

    public async Task StopAsync()
    {
        await _member.DrainAsync();
        // What was read is answered, and what is still there too.
        await _stop.CancelAsync();
        await CloseAsync();
        await _member.DisposeAsync();
    }

    public async Task CloseAsync()
    {
        if (!_hangs && _stop.IsCancellationRequested)
            await _serving;
        _member.Close(_socket);
        if (!_hangs)
            await _serving;
    }

    public void Hang() => _hangs = true;

    private async Task ServeAsync()
    {
        var buffer = new byte[64];
        EndPoint anyone = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        try
        {
            // When it is to stop, as long as there is something.
            while (!_stop.IsCancellationRequested || _socket.Available > 0)
            {
                SocketReceiveFromResult received;
                try
                {
                    received = await _socket.ReceiveFromAsync(buffer, anyone, _stop.IsCancellationRequested ? CancellationToken.None : _stop.Token);
                }
                catch (OperationCanceledException)
                {
                    continue;
                }
                if (_hangs)
                    Thread.Sleep(Timeout.Infinite);
                if (!_member.IsPulse(_socket, (IPEndPoint)received.RemoteEndPoint))
                    await _socket.SendToAsync(_answer, received.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }
}
