using System.Diagnostics;
using System.Text.RegularExpressions;
using Maplog.Tests.Recorded;
using Xunit;

namespace Maplog.Tests.Integration.Replicating;

/// <summary>The replicator as an operator runs it.</summary>
internal sealed partial class ReplicatorProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly List<string> _lines = [];

    private ReplicatorProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public string Output
    {
        get
        {
            lock (_lines)
                return string.Join('\n', _lines);
        }
    }

    /// <summary>Events read from the log since the start, as the last line that tells it says.</summary>
    public long EventsFromLog => Number(FromLog());

    public long EventsFromBus => Number(FromBus());

    private static string Program => Path.Combine(Repository.Bin, "maplog-replicator");

    public static ReplicatorProcess Start(params string[] arguments) => StartProgram(Program, arguments);

    /// <summary>
    /// In a mount namespace of its own, with a BPF file system of its own; below a process 1 that has another. It ends with a kill
    /// alone.
    /// </summary>
    public static ReplicatorProcess StartApart(params string[] arguments)
    {
        const string Inner = "mount -t bpf bpf /sys/fs/bpf && exec \"$0\" \"$@\"";
        const string Outer = "unshare --mount --propagation private sh -c '" + Inner + "' \"$0\" \"$@\"; true";
        return StartProgram("unshare", ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", Outer, Program, .. arguments]);
    }

    private static ReplicatorProcess StartProgram(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        var process = new ReplicatorProcess(Process.Start(start)!);
        process._process.OutputDataReceived += process.Keep;
        process._process.ErrorDataReceived += process.Keep;
        process._process.BeginOutputReadLine();
        process._process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Waits for a line that holds the text.</summary>
    public async Task WaitForAsync(string text, int times = 1)
    {
        await Wait.UntilAsync(() => Occurrences(text) >= times || _process.HasExited, Patience, () => $"'{text}' did not come. {Output}");
        Assert.True(Occurrences(text) >= times, $"It ended before '{text}' came. {Output}");
    }

    public bool Says(string text, int times = 1) => Occurrences(text) >= times;

    public void Kill() => Signal(9);

    public void Suspend() => Signal(19);

    public void Continue() => Signal(18);

    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        Signal(15);
        return await EndAsync();
    }

    public async Task<int> EndAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    private void Signal(int signal) => Process.Start("kill", [$"-{signal}", $"{_process.Id}"]).WaitForExit();

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_lines)
        {
            if (line.Data is not null)
                _lines.Add(line.Data);
        }
    }

    private int Occurrences(string text)
    {
        lock (_lines)
            return _lines.Count(l => l.Contains(text, StringComparison.Ordinal));
    }

    private long Number(Regex told)
    {
        var matches = told.Matches(Output);
        Assert.NotEmpty(matches);
        return long.Parse(matches[^1].Groups[1].ValueSpan);
    }

    [GeneratedRegex("Events since the start: ([0-9]+) from the log")]
    private static partial Regex FromLog();

    [GeneratedRegex("([0-9]+) from the bus")]
    private static partial Regex FromBus();
}
