using Maplog.Tests.Recorded;

namespace Maplog.Tests.Vm;

/// <summary>Hot standby on stock Debian kernels: with migration of what waits at a closing listener, and without it on 5.10.</summary>
public sealed class StandbyTests
{
    private const string WithoutMigration = "bullseye";
    private const int MostBoots = 3;

    private static readonly string Service = Path.Combine(Repository.Root, "tests/StandbyService/bin/Release/net10.0/Maplog.Tests.StandbyService.dll");

    public static TheoryData<string> Kernels => [.. GuestRuns.Suites];

    [Theory, MemberData(nameof(Kernels))]
    public async Task A_standby_takes_over_when_the_primary_is_killed_and_gives_back_when_it_returns(string kernel)
    {
        var lines = await BootAsync(kernel);
        Assert.Equal(["asked: standby", "asked: primary", "asked: standby", "asked: primary"], lines.Where(l => l.StartsWith("asked:", StringComparison.Ordinal)));
        var migrates = kernel != WithoutMigration;
        Assert.Equal(migrates ? 0 : 3, lines.Count(l => l.Contains("cannot move connections that wait in the queue of a closing listener", StringComparison.Ordinal)));
        Assert.Contains(lines, l => l.Contains(migrates ? "name standby_migrate" : "name standby_select", StringComparison.Ordinal));
    }

    // The emulator now and then trips over an instruction that the kernel has just patched.
    private static async Task<IReadOnlyList<string>> BootAsync(string kernel)
    {
        for (var boot = 1; ; boot++)
        {
            var folder = Path.Combine(Repository.Root, "artifacts/vm", $"standby-{kernel}-{boot}");
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
            Directory.CreateDirectory(folder);
            File.Copy(Path.Combine(AppContext.BaseDirectory, "standby"), Path.Combine(folder, "standby"));
            using var guest = new Command(folder,
                [Path.Combine(Repository.Root, "tests/Vm/vm"), "-k", kernel, "-m", "3000", "-t", "600", "-w", folder, "-r", Path.GetDirectoryName(Service)!, "--", "./standby", Service]);
            var status = await guest.EndAsync();
            await File.WriteAllLinesAsync(Path.Combine(folder, "guest.log"), guest.Lines);
            if (status == 0)
                return guest.Lines;
            if (boot == MostBoots || !guest.Lines.Any(l => l.Contains("int3:", StringComparison.Ordinal)))
                throw new InvalidOperationException($"The guest ended with {status}.{guest.LastLines(60)}");
        }
    }
}
