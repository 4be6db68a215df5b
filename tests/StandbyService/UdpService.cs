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
    private Task _serving = Task.CompletedTask;
    private int _busy;
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
        // What it was given is read; and answered.
        do
            await Task.Delay(20);
        while (Volatile.Read(ref _busy) > 0);
        await CloseAsync();
        await _member.DisposeAsync();
    }

    public async Task CloseAsync()
    {
        _socket.Dispose();
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
            while (true)
            {
                var received = await _socket.ReceiveFromAsync(buffer, anyone);
                Volatile.Write(ref _busy, 1);
                if (_hangs)
                    Thread.Sleep(Timeout.Infinite);
                if (!_member.IsPulse(_socket, (IPEndPoint)received.RemoteEndPoint))
                    await _socket.SendToAsync(_answer, received.RemoteEndPoint);
                Volatile.Write(ref _busy, 0);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }
}
