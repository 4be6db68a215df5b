using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Maplog.Observing;

/// <summary>Collects a daemon's meters: at each scrape, and at an interval if they are pushed. Without both it collects nothing.</summary>
internal static class Telemetry
{
    /// <summary>.NET's own meter: memory, garbage collection, thread pool.</summary>
    private const string RuntimeMeter = "System.Runtime";

    /// <param name="service">The daemon's name.</param>
    /// <param name="node">This host.</param>
    /// <param name="meter">The daemon's meter.</param>
    /// <param name="isScraped">Whether Prometheus can scrape it.</param>
    /// <param name="otlp">Target of the push; null: nothing is pushed.</param>
    public static MeterProvider Collect(string service, string node, string meter, bool isScraped, OtlpOptions? otlp)
    {
        var builder = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(r => r.AddService(service, "maplog", serviceInstanceId: node))
            .AddMeter(meter, RuntimeMeter, BuildInfo.MeterName);
        BuildInfo.Show();
        if (isScraped)
            builder.AddPrometheusExporter(p => p.ScopeInfoEnabled = false);
        if (otlp is not null)
        {
            builder.AddOtlpExporter((exporter, reader) =>
            {
                // Otherwise the environment has the address, or the protocol's default applies.
                if (otlp.Endpoint is not null)
                    (exporter.Endpoint, exporter.Protocol) = (otlp.Endpoint, otlp.Protocol);
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)otlp.Interval.TotalMilliseconds;
            });
        }
        return builder.Build();
    }
}
