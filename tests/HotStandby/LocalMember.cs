using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Maplog.HotStandby;

namespace Maplog.Tests.HotStandby;

/// <summary>A member in this process, with a thread for each of its ports, any of which can be made to hang.</summary>
internal sealed class LocalMember : IAsyncDisposable
{
    private readonly StandbyMember _member;
    private readonly byte[] _answer;
    private readonly List<(Socket Listener, Thread Thread)> _ports = [];
    private readonly ConcurrentDictionary<IPEndPoint, bool> _hung = new();
    private readonly ManualResetEventSlim _released = new();

    public LocalMember(World world, string name, int rank, Action<StandbyOptions>? more = null)
    {
        _answer = Encoding.ASCII.GetBytes($"{name} {Environment.ProcessId}\n");
        var options = new StandbyOptions { PinRoot = world.Root, Group = world.Name, Member = name, Rank = rank, Timeout = TimeSpan.FromMilliseconds(400) };
        more?.Invoke(options);
        _member = StandbyMember.Join(options);
    }

    public StandbyMember Member => _member;

    public void Serve(IPEndPoint address, bool dual = false)
    {
        var listener = StartOrderTests.Listen(_member, address, dual);
        var thread = new Thread(() => Accept(listener, address));
        thread.Start();
        _ports.Add((listener, thread));
    }

    /// <summary>Its next connection is never served, and none after it.</summary>
    public void Hang(IPEndPoint address) => _hung[address] = true;

    public async ValueTask DisposeAsync()
    {
        await _member.DisposeAsync();
        _released.Set();
        foreach (var (listener, thread) in _ports)
        {
            listener.Dispose();
            thread.Join();
        }
        _released.Dispose();
    }

    private void Accept(Socket listener, IPEndPoint address)
    {
        try
        {
            while (true)
            {
                using var client = listener.Accept();
                if (_hung.ContainsKey(address))
                    _released.Wait();
                if (_member.Admit(listener, client))
                    Answer(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or StandbyException)
        {
            // Closed.
        }
    }

    private void Answer(Socket client)
    {
        try
        {
            var line = new byte[16];
            client.Receive(line);
            client.Send(_answer);
            client.Shutdown(SocketShutdown.Send);
            client.Receive(line); // its end first
        }
        catch (SocketException)
        {
            // The client left.
        }
    }
}
