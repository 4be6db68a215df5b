using Maplog.Cli.Settings;

namespace Maplog.Cli.Checks;

/// <summary>All areas, in the order in which a lack in one explains those in the next.</summary>
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
