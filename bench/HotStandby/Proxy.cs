using System.Diagnostics;
using System.Net;

namespace Maplog.StandbyRate;

/// <summary>HAProxy before a primary and a backup, as it is commonly set up for failover.</summary>
internal sealed class Proxy : IDisposable
{
    private readonly Process _process;
    private readonly string _file = Path.GetTempFileName();

    public Proxy(IPEndPoint front, IPEndPoint primary, IPEndPoint backup)
    {
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
        _process = Process.Start(new ProcessStartInfo(Program!, ["-db", "-f", _file]) { RedirectStandardError = true })!;
    }

    public TimeSpan Processor => _process.TotalProcessorTime;

    public static bool IsHere => Program is not null;

    private static string? Program => $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin".Split(':').Select(f => Path.Combine(f, "haproxy")).FirstOrDefault(File.Exists);

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        File.Delete(_file);
    }
}
