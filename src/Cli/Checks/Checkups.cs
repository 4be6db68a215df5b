using Maplog.Cli.Settings;

namespace Maplog.Cli.Checks;

/// <summary>All areas, in an order in which a problem in one area explains problems in the next.</summary>
internal static class Checkups
{
    public static IReadOnlyList<ICheckup> All(CommandSettings settings, string? source)
    {
        var files = new HostFiles();
        return
        [
            new KernelCheckup(files),
            new PrivilegeCheckup(),
            new ProbeCheckup(files),
            new LogCheckup(settings.Log, source ?? settings.Source),
            new BusCheckup(settings.Bus),
        ];
    }
}
