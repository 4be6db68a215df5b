using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Maplog.Benchmarks.Rows.Standby;

/// <summary>HAProxy before a primary and a backup, as it is commonly set up for failover.</summary>
internal sealed class HaProxy : IDisposable
{
    private readonly Process _process;
    private readonly string _file = Path.GetTempFileName();
    private readonly IPEndPoint _front;

    public HaProxy(IPEndPoint front, IPEndPoint primary, IPEndPoint backup)
    {
        _front = front;
        File.WriteAllText(_file, $"""
            global
              maxconn 4000
            defaults
              mode tcp
              timeout connect 5s
              timeout client 5s
              timeout server 5s
            frontend f
              bind {front}
              default_backend b
            backend b
              server primary {primary} check inter 1s
              server backup {backup} check inter 1s backup

            """);
        var program = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin".Split(':').Select(f => Path.Combine(f, "haproxy")).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("There is no haproxy on the PATH: 'scripts/install tests' installs Debian's.");
        _process = Process.Start(new ProcessStartInfo(program, ["-db", "-f", _file]) { RedirectStandardError = true })!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
    }

    public TimeSpan Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Waits until it takes connections.</summary>
    public async Task AnswersAsync(CancellationToken cancellation)
    {
        for (var tries = 0; ; tries++)
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"haproxy ended with {_process.ExitCode}.");
            if (tries == 600)
                throw new InvalidOperationException($"haproxy (process {_process.Id}) runs, but takes no connections at {_front}.");
            try
            {
                using var socket = new Socket(_front.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(_front, cancellation);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50, cancellation);
            }
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        File.Delete(_file);
    }
}
