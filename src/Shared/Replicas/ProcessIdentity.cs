using System.Globalization;

namespace Maplog.Replicas;

/// <summary>A process, distinguished from a later process with the same number.</summary>
/// <param name="Tgid">Thread group id, in the pid namespace of this process.</param>
/// <param name="StartTicks">Its start: clock ticks (1/100 s) since boot, field 22 of /proc/PID/stat.</param>
public readonly record struct ProcessIdentity(uint Tgid, ulong StartTicks)
{
    /// <summary>The kernel's inode number of the initial pid namespace (PROC_PID_INIT_INO).</summary>
    private const string InitialNamespace = "pid:[4026531836]";

    public static ProcessIdentity Current { get; } = Of((uint)Environment.ProcessId) ?? throw new InvalidOperationException("/proc/self/stat cannot be read: mount /proc.");

    /// <summary>Whether the kernel's hooks see the same process numbers as this process.</summary>
    public static bool InInitialNamespace => new FileInfo("/proc/self/ns/pid").LinkTarget == InitialNamespace;

    public bool IsAlive => Of(Tgid) == this;

    /// <summary>The process that has this number now, or null.</summary>
    public static ProcessIdentity? Of(uint tgid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{tgid}/stat"));
            // The second field is the command in parentheses, and may itself contain blanks and parentheses.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return new ProcessIdentity(tgid, ulong.Parse(fields[22 - 3], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
