using System.Diagnostics.Metrics;
using System.Reflection;

namespace Maplog.Observing;

/// <summary>The instrument <c>maplog_build_info</c>: always 1, with the version of maplog and of .NET as labels.</summary>
internal static class BuildInfo
{
    public const string MeterName = "Maplog.Build";

    private static readonly Meter Build = new(MeterName);

    /// <summary>Creates the instrument; collectors see it from then on.</summary>
    public static void Show()
    {
        var version = typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        var measurement = new Measurement<int>(1, new("version", version), new("dotnet", Environment.Version.ToString()));
        Build.CreateObservableGauge("maplog.build.info", () => measurement, null, "The version of maplog, as labels; the value is 1.");
    }
}
