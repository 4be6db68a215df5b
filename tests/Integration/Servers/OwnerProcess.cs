using System.Diagnostics;
using System.Runtime.CompilerServices;
using Maplog.Servers;

namespace Maplog.Tests.Integration.Servers;

/// <summary>This assembly, run once more as a process that owns one private server of each kind and waits to be killed.</summary>
internal static class OwnerProcess
{
    private const string Role = "MAPLOG_TEST_ROLE";

    public static Process Start()
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Maplog.Tests.Integration")) { RedirectStandardOutput = true };
        start.Environment[Role] = "server-owner";
        return Process.Start(start)!;
    }

    // No code of this module may run on another thread while its initializer runs: the work itself is in another assembly.
#pragma warning disable CA2255 // It is an application: its entry point is xunit's, so this is the only place before it.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RunIfAsked()
    {
        if (Environment.GetEnvironmentVariable(Role) == "server-owner")
            ServerOwner.OwnAsync().GetAwaiter().GetResult();
    }
}
