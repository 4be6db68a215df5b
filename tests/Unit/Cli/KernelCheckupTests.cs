using Maplog.Cli.Checks;
using Xunit;

namespace Maplog.Tests.Unit.Cli;

public sealed class KernelCheckupTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("maplog-host-").FullName;

    public KernelCheckupTests()
    {
        Write("proc/sys/kernel/osrelease", "6.1.0-13-amd64\n");
        Write("sys/kernel/btf/vmlinux", new string('b', 4096));
        Write("sys/kernel/security/lsm", "capability,lockdown,bpf\n");
        Write("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
        Write("sys/bus/event_source/devices/kprobe/type", "6\n");
        Write("sys/kernel/tracing/events/syscalls/sys_exit_bpf/id", "1\n");
        Write("proc/self/limits", "Max locked memory         unlimited            unlimited            bytes\n");
        Write("proc/mounts", "proc /proc proc rw 0 0\nbpf /sys/fs/bpf bpf rw 0 0\n");
        Write("proc/sys/net/core/bpf_jit_enable", "1\n");
        Write("sys/devices/system/cpu/possible", "0-3\n");
    }

    [Fact]
    public async Task A_kernel_with_all_of_it_is_well() =>
        Assert.All(await CheckAsync(), check => Assert.True(check.State == CheckState.Ok, $"{check}"));

    [Theory]
    [InlineData("version", nameof(CheckState.Failure), "proc/sys/kernel/osrelease", "5.4.0-9-generic")]
    [InlineData("lockdown", nameof(CheckState.Warning), "sys/kernel/security/lockdown", "none [integrity] confidentiality")]
    [InlineData("bpffs", nameof(CheckState.Warning), "proc/mounts", "proc /proc proc rw 0 0")]
    [InlineData("JIT", nameof(CheckState.Warning), "proc/sys/net/core/bpf_jit_enable", "0")]
    public async Task What_is_otherwise_is_found_and_answered_with_advice(string name, string state, string file, string text)
    {
        Write(file, text);
        await AssertFoundAsync(name, state);
    }

    [Theory]
    [InlineData("BTF", nameof(CheckState.Failure), "sys/kernel/btf/vmlinux")]
    [InlineData("kprobes", nameof(CheckState.Warning), "sys/bus/event_source/devices/kprobe")]
    [InlineData("lockdown", nameof(CheckState.Warning), "sys/kernel/security/lsm")]
    [InlineData("tracefs", nameof(CheckState.Warning), "sys/kernel/tracing/events/syscalls/sys_exit_bpf")]
    public async Task What_is_missing_is_found_and_answered_with_advice(string name, string state, string path)
    {
        path = Path.Combine(_root, path);
        if (File.Exists(path))
            File.Delete(path);
        else
            Directory.Delete(path, recursive: true);
        await AssertFoundAsync(name, state);
    }

    [Theory]
    [InlineData("65536", nameof(CheckState.Warning))]
    [InlineData("unlimited", nameof(CheckState.Ok))]
    public async Task Before_5_11_the_limit_of_locked_memory_counts(string limit, string state)
    {
        Write("proc/sys/kernel/osrelease", "5.10.0-30-amd64");
        Write("proc/self/limits", $"Limit Soft Hard Units\nMax locked memory         {limit}                {limit}                bytes\n");
        Assert.Equal(state, $"{(await CheckAsync()).Single(c => c.Name == "locked memory").State}");
    }

    [Fact]
    public async Task A_kernel_without_lockdown_at_all_is_not_locked_down()
    {
        File.Delete(Path.Combine(_root, "sys/kernel/security/lockdown"));
        Assert.Equal(CheckState.Ok, (await CheckAsync()).Single(c => c.Name == "lockdown").State);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private async Task AssertFoundAsync(string name, string state)
    {
        var checks = await CheckAsync();
        var found = Assert.Single(checks, c => c.State != CheckState.Ok);
        Assert.Equal((name, state), (found.Name, $"{found.State}"));
        Assert.NotEmpty(found.Advice!);
    }

    private Task<IReadOnlyList<Check>> CheckAsync() => new KernelCheckup(new HostFiles(_root)).RunAsync(TestContext.Current.CancellationToken);

    private void Write(string path, string text)
    {
        path = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
