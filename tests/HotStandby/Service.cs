using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Maplog.Tests.HotStandby;

/// <summary>A process of tests/StandbyService.</summary>
public sealed partial class Service : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string Program = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "../../../../StandbyService/bin/Release/net10.0/Maplog.Tests.StandbyService.dll"));

    private const string Capabilities = "caps=";
    private readonly Process _process;

    public Service(IReadOnlyList<string> settings)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        // With these capabilities alone, as setpriv(1) names them.
        if (settings.FirstOrDefault(s => s.StartsWith(Capabilities, StringComparison.Ordinal)) is { } asked)
        {
            var set = asked[Capabilities.Length..];
            start.ArgumentList.Add($"--inh-caps={set}");
            start.ArgumentList.Add($"--bounding-set={set}");
            start.ArgumentList.Add(start.FileName);
            start.FileName = "setpriv";
        }
        start.ArgumentList.Add(Program);
        foreach (var setting in settings)
            start.ArgumentList.Add(setting);
        // 100 of them are started: compile less, and leave no diagnostic sockets behind a SIGKILL.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_TieredCompilation"] = "1";
        _process = Process.Start(start)!;
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public async Task ReadyAsync() => Assert.Equal($"ready {Pid}", await LineAsync());

    /// <summary>Why it did not begin to serve.</summary>
    public async Task<string> RefusalAsync()
    {
        var line = await LineAsync();
        Assert.StartsWith("failed ", line);
        return line["failed ".Length..];
    }

    /// <summary>Lets a spare begin.</summary>
    public async Task GoAsync()
    {
        await _process.StandardInput.WriteLineAsync("go");
        await ReadyAsync();
    }

    public async Task TellAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        Assert.Equal(command, await LineAsync());
    }

    /// <summary>Drains and ends.</summary>
    public async Task StopAsync()
    {
        await _process.StandardInput.WriteLineAsync("stop");
        Assert.Equal("stopped", await LineAsync());
        await _process.WaitForExitAsync().WaitAsync(Patience);
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(Patience);
    }

    /// <summary>SIGSTOP, and until every thread has stopped.</summary>
    public void Suspend()
    {
        Assert.Equal(0, Signal(Pid, 19));
        while (Directory.EnumerateDirectories($"/proc/{Pid}/task").Any(t => !File.ReadLines($"{t}/status").Any(l => l.StartsWith("State:\tT", StringComparison.Ordinal))))
            Thread.Sleep(1);
    }

    public void Continue() => Assert.Equal(0, Signal(Pid, 18));

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    private async Task<string> LineAsync() =>
        await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience) ?? throw new InvalidOperationException($"The service (process {Pid}) has ended.");

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int pid, int signal);
}
