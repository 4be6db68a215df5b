using Maplog.Kernel;

namespace Maplog.Cli.Checks;

/// <summary>The rights of this process, because the same user would start capture.</summary>
internal sealed class PrivilegeCheckup : ICheckup
{
    /// <summary>The purpose of each capability.</summary>
    private static readonly (string Name, string For)[] Needed =
    [
        ("CAP_BPF", "creating maps and loading programs"),
        ("CAP_PERFMON", "hooking kernel functions and reading kernel memory"),
        ("CAP_SYS_ADMIN", "finding maps by name or id"),
    ];

    public string Area => "privileges";

    public Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellation)
    {
        var found = new Findings(Area);
        var lacking = Privileges.Lacking();
        foreach (var (name, purpose) in Needed)
        {
            if (!lacking.Contains(name))
                found.Ok(name, $"held; for {purpose}");
            else
                found.Fail(name, $"missing; needed for {purpose}", $"Run as root, or give the daemon {name} (AmbientCapabilities= in systemd, --cap-add in a container).");
        }
        return Task.FromResult(found.All);
    }
}
