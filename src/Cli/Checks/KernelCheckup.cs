using System.Globalization;

namespace Maplog.Cli.Checks;

/// <summary>The features of this kernel.</summary>
internal sealed class KernelCheckup(HostFiles files) : ICheckup
{
    /// <summary>The first with a ring buffer.</summary>
    private static readonly Version Oldest = new(5, 8);

    /// <summary>From this version on BPF memory counts against the cgroup, and no longer against RLIMIT_MEMLOCK.</summary>
    private static readonly Version CountsByGroup = new(5, 11);

    public string Area => "kernel";

    public Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellation)
    {
        var found = new Findings(Area);
        var version = CheckVersion(found);
        if (files.Size("/sys/kernel/btf/vmlinux") is { } bytes)
            found.Ok("BTF", $"/sys/kernel/btf/vmlinux, {bytes / 1024} KiB");
        else
            found.Fail("BTF", "this kernel does not describe its types (/sys/kernel/btf/vmlinux is missing), so no probe can be loaded", "Boot a kernel with CONFIG_DEBUG_INFO_BTF=y, as in all distributions; in a container mount /sys.");
        CheckLockdown(found);
        found.OkOrWarn(
            files.Exists("/sys/bus/event_source/devices/kprobe"), "kprobes", "this kernel has them",
            "this kernel has no kprobes (CONFIG_KPROBES)", "The kprobe probe cannot be used; fentry is better in any case. Otherwise boot a kernel with CONFIG_KPROBES=y.");
        found.OkOrWarn(
            files.Exists("/sys/kernel/tracing/events/syscalls/sys_exit_bpf") || files.Exists("/sys/kernel/debug/tracing/events/syscalls/sys_exit_bpf"), "tracefs", "mounted, with the tracepoint of bpf(2)",
            "the tracepoint of bpf(2) is not under /sys/kernel/tracing", "Mount it with 'mount -t tracefs tracefs /sys/kernel/tracing'; the daemon mounts it if it has CAP_SYS_ADMIN. The kprobe and syscall probes need it (and CONFIG_FTRACE_SYSCALLS=y).");
        found.OkOrWarn(
            files.Lines("/proc/mounts").Any(line => line.Split(' ') is [_, "/sys/fs/bpf", "bpf", ..]), "bpffs", "mounted at /sys/fs/bpf",
            "no BPF file system is mounted at /sys/fs/bpf", "Mount it with 'mount -t bpf bpf /sys/fs/bpf'; the daemons mount it if they have CAP_SYS_ADMIN.");
        if (files.WhyUnseen("/sys/fs/bpf") is { } unseen)
            found.Warn("mount namespace", "this process does not see the pins of the host, and no other process sees its pins", unseen);
        CheckMemory(found, version);
        found.OkOrWarn(
            files.Read("/proc/sys/net/core/bpf_jit_enable") != "0", "JIT", "on",
            "BPF programs are interpreted, which makes every hook slow", "Switch the compiler on with 'sysctl net.core.bpf_jit_enable=1'.");
        if (files.Read("/sys/devices/system/cpu/possible") is { } possible)
            found.Ok("possible CPUs", $"{possible}; a per-CPU map can be replicated to hosts with the same number");
        return Task.FromResult(found.All);
    }

    private Version? CheckVersion(Findings found)
    {
        var release = files.Read("/proc/sys/kernel/osrelease") ?? "";
        var parts = release.Split('.', '-');
        if (parts.Length < 2 || !Version.TryParse($"{parts[0]}.{parts[1]}", out var version))
        {
            found.Warn("version", $"'{release}' contains no version", "maplog needs Linux 5.8 or later.");
            return null;
        }
        if (version >= Oldest)
            found.Ok("version", release);
        else
            found.Fail("version", $"{release} has no BPF ring buffer", "Boot Linux 5.8 or later.");
        return version;
    }

    private void CheckLockdown(Findings found)
    {
        if (!files.Exists("/sys/kernel/security/lsm"))
        {
            found.Warn("lockdown", "not known: securityfs is not mounted at /sys/kernel/security", "Mount it with 'mount -t securityfs securityfs /sys/kernel/security' to find out; the probes below were tried in any case.");
            return;
        }
        var modes = files.Read("/sys/kernel/security/lockdown") ?? "";
        var mode = modes.Contains('[', StringComparison.Ordinal) ? modes[(modes.IndexOf('[', StringComparison.Ordinal) + 1)..].Split(']')[0] : "none";
        found.OkOrWarn(mode == "none", "lockdown", "none", $"the kernel is locked down ({mode}), which forbids some of the hooks", "See below which probes work; otherwise boot without lockdown=, or without Secure Boot if Secure Boot sets lockdown.");
    }

    private void CheckMemory(Findings found, Version? version)
    {
        if (version >= CountsByGroup)
        {
            found.Ok("locked memory", "BPF memory counts against the cgroup");
            return;
        }
        var limit = files.Lines("/proc/self/limits").FirstOrDefault(l => l.StartsWith("Max locked memory", StringComparison.Ordinal))?["Max locked memory".Length..].Trim().Split(' ')[0];
        var enough = limit == "unlimited" || long.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes >= 256L << 20;
        found.OkOrWarn(enough, "locked memory", $"{limit}", $"this kernel counts BPF memory against a limit of {limit} bytes", "Start capture with 'ulimit -l unlimited' (LimitMEMLOCK=infinity in systemd), or as root.");
    }
}
