using System.Diagnostics;

namespace Maplog.Servers;

/// <summary>
/// A temporary folder with all that a private server has, and a keeper that outlives us: a shell in a session of its own, so that
/// Ctrl-C does not reach it, which waits for the end of its standard input. However this process ends, kill -9 included, the kernel
/// closes that pipe, and the keeper kills what works in the folder or carries its mark in its environment, and removes the folder.
/// </summary>
internal sealed class ServerFolder : IDisposable
{
    /// <summary>The environment variable that marks every process of the server, and those that they start.</summary>
    public const string Mark = "MAPLOG_PRIVATE_SERVER";

    // grep -z: the environment's entries end in NUL. A killed postmaster leaves its System V segment; its id is on line 7 of postmaster.pid.
    // The last Postgres children may still write while the folder is removed, hence the loop.
    private const string Keeper = """
        cat >/dev/null
        round=0
        while [ $round -lt 100 ]; do
            found=$(find /proc/[0-9]*/cwd -maxdepth 0 -lname "$1*" 2>/dev/null; grep -slzx "MAPLOG_PRIVATE_SERVER=$1" /proc/[0-9]*/environ)
            [ -n "$found" ] || break
            for file in $found; do pid=${file#/proc/}; kill -9 "${pid%/*}" 2>/dev/null; done
            round=$((round + 1)); sleep 0.05
        done
        if [ -f "$1/data/postmaster.pid" ]; then
            set -- "$1" $(sed -n 7p "$1/data/postmaster.pid")
            [ -n "$3" ] && ipcrm -m "$3" 2>/dev/null
        fi
        mountpoint -q "$1/data" && umount -l "$1/data"
        round=0
        while [ -e "$1" ] && [ $round -lt 100 ]; do rm -rf "$1" 2>/dev/null || sleep 0.05; round=$((round + 1)); done
        """;

    private readonly Process _keeper;
    private int _disposed;

    public ServerFolder(string kind)
    {
        Path = Directory.CreateTempSubdirectory($"maplog-{kind}-").FullName;
        // 0755: Postgres runs as another user and must be able to enter.
#pragma warning disable CA1416 // These servers are Debian's: this is Linux.
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
#pragma warning restore CA1416
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Keeper, "keeper", Path])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment.Remove(Mark);
        _keeper = Process.Start(start) ?? throw new InvalidOperationException($"No keeper could be started for {Path}: setsid(1) did not start.");
        AppDomain.CurrentDomain.ProcessExit += AtExit;
    }

    public string Path { get; }

    /// <summary>The processes that work in this folder or carry its mark now, those too that are dying and have not let go of their memory.</summary>
    public IReadOnlyList<int> Processes()
    {
        var found = new List<int>();
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(System.IO.Path.GetFileName(process), out var pid) && (WorksHere(process) || IsMarked(process)))
                found.Add(pid);
        }
        return found;
    }

    /// <summary>kill -9 to every process of the server; returns when none is left.</summary>
    public async Task KillAllAsync(CancellationToken cancellation = default)
    {
        for (var left = Processes(); left.Count > 0; left = Processes())
        {
            foreach (var pid in left)
                _ = Native.Kill(pid, Native.SIGKILL);
            await Task.Delay(20, cancellation);
        }
    }

    /// <summary>Kills what is left of the server and removes the folder; returns when both are done.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        AppDomain.CurrentDomain.ProcessExit -= AtExit;
        _keeper.StandardInput.Close();
        _keeper.WaitForExit(TimeSpan.FromSeconds(15));
        _keeper.Dispose();
    }

    // Postgres' children write their title over their environment, but work in the data folder; a daemon such as epmd works in / and keeps the mark.
    private bool WorksHere(string process)
    {
        try
        {
            var where = new FileInfo($"{process}/cwd").LinkTarget;
            return where is not null && (where == Path || where.StartsWith($"{Path}/", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // It has ended meanwhile, or it is another user's and so not ours.
        }
    }

    private bool IsMarked(string process)
    {
        try
        {
            return File.ReadAllText($"{process}/environ").Split('\0').Contains($"{Mark}={Path}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void AtExit(object? sender, EventArgs e) => Dispose();
}
