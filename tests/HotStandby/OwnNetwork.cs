using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Maplog.Tests.HotStandby;

/// <summary>
/// The tests, and the processes they start, have a network namespace of their own, which ends with them: this process becomes
/// itself again inside one before anything else runs.
/// </summary>
internal static unsafe partial class OwnNetwork
{
    private const string Inside = "MAPLOG_TEST_NETWORK";

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "It must come before the test runner's own Main.")]
    internal static void Enter()
    {
        if (Environment.GetEnvironmentVariable(Inside) == "own")
            return;
        var arguments = Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).TrimEnd('\0').Split('\0');
        string[] command =
        [
            "unshare", "--net", "--", "sh", "-c", $"{Inside}=own; export {Inside}; ip link set lo up && exec \"$@\"", "sh",
            new FileInfo("/proc/self/exe").LinkTarget!, .. arguments[1..],
        ];
        var pointers = stackalloc byte*[command.Length + 1];
        for (var i = 0; i < command.Length; i++)
            pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(command[i]);
        _ = Execute("unshare", pointers);
        throw new InvalidOperationException($"The tests of hot standby need a network namespace of their own, and cannot start unshare: errno {Marshal.GetLastPInvokeError()}.");
    }

    [LibraryImport("libc", EntryPoint = "execvp", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string file, byte** arguments);
}
