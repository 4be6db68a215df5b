using System.Net.Sockets;

namespace Maplog.Servers;

/// <summary>
/// A server of this machine's own packages, started by hand on loopback in a temporary folder. It ends, and its folder goes, with
/// <see cref="DisposeAsync"/> or with this process, whichever is first and however that dies. Ports stay the same over a restart.
/// </summary>
public abstract class PrivateServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private ServerFolder? _folder;
    private ServerProcess? _process;

    private protected PrivateServer(string kind, string address)
    {
        Kind = kind;
        Address = address;
    }

    /// <summary>The IP address listened on.</summary>
    public string Address { get; }

    /// <summary>The port listened on; known from the first start.</summary>
    public int Port { get; private protected set; }

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The temporary folder; known from the first start.</summary>
    public string FolderPath => Folder.Path;

    private protected string Kind { get; }

    private protected ServerFolder Folder => _folder ?? throw new InvalidOperationException($"The private {Kind} server has not been started yet.");

    private string LogPath => Path.Combine(Folder.Path, "server.log");

    /// <summary>Starts the server and returns when it answers; nothing happens if it runs already.</summary>
    /// <exception cref="MissingServerException">Its Debian package is not installed.</exception>
    public async Task StartAsync()
    {
        await _oneAtATime.WaitAsync();
        try
        {
            if (IsRunning)
                return;
            if (_folder is null)
                await FirstStartAsync();
            else
                await LaunchAsync();
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Stops the server in an orderly way; what it holds stays.</summary>
    public async Task StopAsync()
    {
        await _oneAtATime.WaitAsync();
        try
        {
            if (_process is null)
                return;
            if (!_process.HasExited)
            {
                _process.Signal(StopSignal);
                if (!await _process.ExitedWithinAsync(StopLimit))
                    throw new InvalidOperationException($"The private {Kind} server (pid {_process.Id}) did not stop within {StopLimit.TotalSeconds:0} s. {LogEnd()}");
            }
            await EndedAsync();
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>kill -9 to the server and all its processes, as if the machine had lost power.</summary>
    public async Task KillAsync()
    {
        await _oneAtATime.WaitAsync();
        try
        {
            await EndedAsync();
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>SIGSTOP to the server and all its processes: it is there, and does not answer.</summary>
    public void Freeze() => SignalAll(Native.SIGSTOP);

    /// <summary>SIGCONT: it goes on where it was.</summary>
    public void Thaw() => SignalAll(Native.SIGCONT);

    /// <summary>Ends the server without ceremony and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await _oneAtATime.WaitAsync();
        try
        {
            _folder?.Dispose();
            _process?.Dispose();
            _process = null;
        }
        finally
        {
            _oneAtATime.Release();
        }
        GC.SuppressFinalize(this);
    }

    private protected abstract int StopSignal { get; }

    /// <summary>Checks that the server is installed, before anything is made.</summary>
    private protected abstract void Locate();

    /// <summary>Chooses ports and fills the empty folder.</summary>
    private protected abstract Task PrepareAsync();

    private protected abstract ServerProcess Launch(string log);

    /// <summary>Whether the server serves; called once its port accepts connections.</summary>
    private protected abstract Task<bool> AnswersAsync();

    private void SignalAll(int signal)
    {
        foreach (var pid in Folder.Processes())
            _ = Native.Kill(pid, signal);
    }

    private async Task FirstStartAsync()
    {
        Locate();
        for (var attempt = 1; ; attempt++)
        {
            _folder = new ServerFolder(Kind);
            try
            {
                await PrepareAsync();
                await LaunchAsync();
                return;
            }
            catch (Exception e)
            {
                _folder.Dispose();
                _folder = null;
                // Between our look and the server's bind another process can take the port.
                if (attempt == 3 || !(e.Message.Contains("in use", StringComparison.Ordinal) || e.Message.Contains("eaddrinuse", StringComparison.Ordinal)))
                    throw;
            }
        }
    }

    private async Task LaunchAsync()
    {
        _process?.Dispose();
        _process = Launch(LogPath);
        using var limit = new CancellationTokenSource(StartLimit);
        while (!(await AcceptsAsync() && await AnswersAsync()))
        {
            if (_process.HasExited || limit.IsCancellationRequested)
            {
                var what = _process.HasExited ? "ended while it started" : $"did not answer within {StartLimit.TotalSeconds:0} s";
                var failure = new InvalidOperationException($"The private {Kind} server on {Address}:{Port} {what}. {LogEnd()}");
                await EndedAsync();
                throw failure;
            }
            await Task.Delay(50);
        }
    }

    private async Task EndedAsync()
    {
        await Folder.KillAllAsync();
        _process?.Dispose();
        _process = null;
    }

    private async Task<bool> AcceptsAsync()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(Address, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private string LogEnd()
    {
        var lines = File.Exists(LogPath) ? File.ReadLines(LogPath).TakeLast(20) : [];
        return $"The end of its log:{Environment.NewLine}{string.Join(Environment.NewLine, lines)}";
    }
}
