using System.Globalization;

namespace Maplog.Kernel;

/// <summary>The rights of this process, and the reasons for an EPERM.</summary>
public static class Privileges
{
    private const string Others = "a security module, seccomp or a container's cgroup rules forbid it";

    /// <summary>Capabilities that BPF needs, with their numbers. CAP_SYS_ADMIN includes the first two.</summary>
    private static readonly (string Name, int Bit)[] Known =
        [("CAP_BPF", 39), ("CAP_PERFMON", 38), ("CAP_NET_ADMIN", 12), ("CAP_SYS_ADMIN", 21)];

    /// <summary>
    /// Names of the capabilities that BPF may need and this process does not have. With CAP_SYS_ADMIN the list can only contain
    /// CAP_NET_ADMIN, which no other capability includes.
    /// </summary>
    public static IReadOnlyList<string> Lacking()
    {
        ulong held = Held();
        bool admin = Has(held, "CAP_SYS_ADMIN");
        return [.. Known.Where(c => (held >> c.Bit & 1) == 0 && !(admin && c.Name is "CAP_BPF" or "CAP_PERFMON")).Select(c => c.Name)];
    }

    /// <summary>Kernel lockdown: <c>none</c>, <c>integrity</c> or <c>confidentiality</c>; null if the kernel does not report it.</summary>
    public static string? Lockdown()
    {
        try
        {
            string modes = File.ReadAllText("/sys/kernel/security/lockdown");
            int open = modes.IndexOf('['), close = modes.IndexOf(']');
            return open >= 0 && close > open ? modes[(open + 1)..close] : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Half a sentence for an EPERM: the missing capabilities of the operation, or the other possible reasons.</summary>
    internal static string Explain(params ReadOnlySpan<string> needed) => Missing(needed) ?? Lockdown() switch
    {
        null when Directory.Exists("/sys/kernel/security") && !File.Exists("/sys/kernel/security/lsm") =>
            "no capability is missing; kernel lockdown ('mount -t securityfs securityfs /sys/kernel/security' shows it in the file lockdown), a security module, seccomp or a container's cgroup rules forbid it",
        null or "none" => $"no capability is missing; {Others}",
        var mode => $"no capability is missing, but the kernel is locked down ({mode}), which forbids it; choose a probe that lockdown allows, or boot without lockdown",
    };

    /// <summary>The same for the EPERM or EACCES of one object, which lockdown never causes.</summary>
    internal static string ExplainOne(params ReadOnlySpan<string> needed) => Missing(needed) ?? $"no capability is missing; {Others}";

    private static string? Missing(ReadOnlySpan<string> needed)
    {
        ulong held = Held();
        var lacks = new List<string>();
        foreach (string name in needed)
        {
            bool covered = name is "CAP_BPF" or "CAP_PERFMON" && Has(held, "CAP_SYS_ADMIN");
            if (!covered && !Has(held, name))
                lacks.Add(name);
        }

        return lacks.Count == 0 ? null : $"this process lacks {string.Join(" and ", lacks)}; run it as root or give it {(lacks.Count == 1 ? "this capability" : "these capabilities")}";
    }

    private static bool Has(ulong held, string name) => (held >> Array.Find(Known, c => c.Name == name).Bit & 1) == 1;

    private static ulong Held()
    {
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("CapEff:", StringComparison.Ordinal))
                return ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        return 0;
    }
}
