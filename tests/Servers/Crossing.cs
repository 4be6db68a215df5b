using System.Net;
using System.Net.Sockets;

namespace Maplog.Servers;

/// <summary>
/// An address that leads to one of several servers, as a proxy or a virtual address does: when it is switched, new connections go to the
/// other server, and those that there are stay where they are.
/// </summary>
public sealed class Crossing : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private volatile int _target;

    /// <param name="target">The port on this machine that it leads to first.</param>
    public Crossing(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Switch(int target) => _target = target;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            var (one, other) = (near.GetStream(), far.GetStream());
            await Task.WhenAny(one.CopyToAsync(other, _stop.Token), other.CopyToAsync(one, _stop.Token));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One side has gone, and takes the other with it.
        }
    }
}
