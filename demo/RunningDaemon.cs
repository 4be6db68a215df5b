using System.Diagnostics;

namespace Maplog.Demo;

/// <summary>One of maplog's daemons: a process of its own, out of reach of the terminal's Ctrl-C, its output in a file.</summary>
internal sealed class RunningDaemon : IAsyncDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);
    private const int TailLines = 12;

    private readonly Process _process;
    private readonly string _log;
    private bool _isAskedToStop;

    private RunningDaemon(string name, Process process, string log) => (Name, _process, _log) = (name, process, log);

    public string Name { get; }

    public bool IsRunning => !_process.HasExited;

    public static RunningDaemon Start(string name, string program, IReadOnlyList<string> arguments, string folder)
    {
        var log = Path.Combine(folder, $"{name}.log");
        // setsid and sh become the daemon itself: its process id is the one we get.
        var start = new ProcessStartInfo("setsid", ["sh", "-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", log, program, .. arguments])
        {
            WorkingDirectory = folder,
        };
        return new RunningDaemon(name, Process.Start(start) ?? throw new DemoException($"{program} could not be started."), log);
    }

    /// <exception cref="DemoException">It ended by itself.</exception>
    public void RequireRunning()
    {
        if (!_isAskedToStop && _process.HasExited)
            throw new DemoException($"{Name} ended with {_process.ExitCode}. The end of what it said:\n{Tail()}");
    }

    /// <summary>SIGTERM, and waits until it has ended.</summary>
    /// <exception cref="DemoException">It did not end in time, or not well.</exception>
    public async Task StopAsync()
    {
        if (_isAskedToStop)
            return;
        RequireRunning();
        _isAskedToStop = true;
        _ = Native.Kill(_process.Id, Native.SIGTERM);
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new DemoException($"{Name} did not stop within {StopLimit.TotalSeconds} s of SIGTERM. The end of what it said:\n{Tail()}");
        }
        if (_process.ExitCode != 0)
            throw new DemoException($"{Name} ended with {_process.ExitCode} when it was asked to stop. The end of what it said:\n{Tail()}");
    }

    public string Tail() => File.Exists(_log) ? string.Join('\n', File.ReadLines(_log).TakeLast(TailLines).Select(l => $"  {l}")) : "";

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Native.Kill(_process.Id, _isAskedToStop ? Native.SIGKILL : Native.SIGTERM);
            _isAskedToStop = true;
            using var limit = new CancellationTokenSource(StopLimit);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _ = Native.Kill(_process.Id, Native.SIGKILL);
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }
        _process.Dispose();
    }
}
