using System.Diagnostics;
using System.Text.Json;
using Maplog.Tests.Integration.Cli;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Kernel.Cli;

public sealed class DoctorTests
{
    private static readonly string[] Here = ["doctor", "--only", "kernel", "--only", "privileges", "--only", "probes"];

    [Fact]
    public async Task A_kernel_on_which_some_probe_works_is_well_and_each_hook_is_named()
    {
        var run = await CommandRun.OfAsync([.. Here, "--json"]);
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.Code);
        var checks = JsonDocument.Parse(run.Output).RootElement.GetProperty("checks").EnumerateArray().ToList();
        Assert.Single(checks, c => c.GetProperty("finding").GetString()!.Contains("capture uses this probe", StringComparison.Ordinal));
        Assert.Contains(checks, c => c.GetProperty("name").GetString() == "coverage");
        Assert.Contains(checks, c => c.GetProperty("name").GetString() == "htab_map_update_elem" && c.GetProperty("area").GetString() == "hooks");
    }

    [Fact]
    public async Task Without_privileges_it_names_the_capabilities_that_are_missing()
    {
        using var doctor = Process.Start(new ProcessStartInfo("setpriv", ["--inh-caps", "-all", "--bounding-set", "-all", Path.Combine(Repository.Bin, "maplog"), .. Here, "--json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = doctor.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await doctor.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await doctor.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", await error);
        Assert.Equal(1, doctor.ExitCode);
        var failed = JsonDocument.Parse(output).RootElement.GetProperty("checks").EnumerateArray().Where(c => c.GetProperty("state").GetString() == "fail").ToList();
        foreach (var capability in new[] { "CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN" })
            Assert.Contains(failed, c => c.GetProperty("name").GetString() == capability);
        Assert.Contains(failed, c => c.GetProperty("name").GetString() == "syscall");
    }
}
