using System.Diagnostics;

namespace Maplog.Tests.Recorded;

/// <summary>A program that runs beside the tests. It ends with this process, and with <see cref="Dispose"/>.</summary>
public sealed class Command : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];

    public Command(string folder, params string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} did not start.");
        AppDomain.CurrentDomain.ProcessExit += AtExit;
        _process.OutputDataReceived += Take;
        _process.ErrorDataReceived += Take;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>What it wrote so far, both streams together.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>Runs a program to its end, which must be a good one.</summary>
    public static async Task<IReadOnlyList<string>> RunAsync(string folder, params string[] command)
    {
        using var run = new Command(folder, command);
        var status = await run.EndAsync();
        return status == 0 ? run.Lines : throw new InvalidOperationException($"'{string.Join(' ', command)}' ended with {status}: {run.LastLines(40)}");
    }

    /// <summary>Waits until it ended.</summary>
    /// <returns>Its exit status.</returns>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Waits until it ended, or fails with what it said last and where each of its threads is held up.</summary>
    /// <returns>Its exit status.</returns>
    public async Task<int> EndAsync(TimeSpan within)
    {
        try
        {
            return await EndAsync().WaitAsync(within);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"'{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)}' has not ended within {within.TotalSeconds} s.{(_process.HasExited ? " It has exited, but something holds its output open." : Threads())}{LastLines(40)}");
        }
    }

    // What the kernel knows of a process that does not go on.
    private string Threads() => string.Concat(Directory.GetDirectories($"/proc/{Id}/task").Select(t => $"\n  {Read(t, "comm")}: {Read(t, "wchan")}, syscall {Read(t, "syscall")}"));

    private static string Read(string folder, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, file)).Trim();
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }

    /// <summary>Waits until a line has these words.</summary>
    public async Task SaysAsync(string words)
    {
        while (!Lines.Any(l => l.Contains(words, StringComparison.Ordinal)))
        {
            if (HasEnded && !Lines.Any(l => l.Contains(words, StringComparison.Ordinal)))
                throw new InvalidOperationException($"{_process.StartInfo.FileName} ended with {_process.ExitCode} before it said '{words}': {LastLines(20)}");
            await Task.Delay(50);
        }
    }

    /// <summary>Answers it with an empty line.</summary>
    public void GoOn() => _process.StandardInput.WriteLine();

    /// <summary>SIGTERM.</summary>
    public void Terminate() => Signal("-TERM");

    /// <summary>SIGKILL: it has no say in it.</summary>
    public void Kill() => Signal("-KILL");

    /// <summary>SIGSTOP: it is there, and does nothing.</summary>
    public void Stop() => Signal("-STOP");

    /// <summary>SIGCONT.</summary>
    public void GoOnRunning() => Signal("-CONT");

    private void Signal(string signal)
    {
        // It may end by itself meanwhile: that there is no such process any more is no news.
        using var kill = Process.Start(new ProcessStartInfo("kill", [signal, $"{Id}"]) { RedirectStandardError = true })!;
        kill.WaitForExit();
    }

    public string LastLines(int count) => string.Concat(Lines.TakeLast(count).Select(l => $"\n  {l}"));

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= AtExit;
        AtExit(null, EventArgs.Empty);
        _process.Dispose();
    }

    private void Take(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        lock (_lines)
            _lines.Add(line.Data);
    }

    // A virtual machine takes its helpers along on SIGTERM, and only then.
    private void AtExit(object? sender, EventArgs e)
    {
        if (_process.HasExited)
            return;
        Terminate();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(15)))
            _process.Kill(entireProcessTree: true);
    }
}
