using Maplog.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;

namespace Maplog.Observing;

/// <summary>Makes a daemon observable, as far as its settings require.</summary>
public static class ObservingServices
{
    private static readonly string[] OtlpVariables = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];

    /// <summary>The options of the command line.</summary>
    public static IReadOnlyList<CommandSwitch> Switches { get; } =
    [
        new("--http", "ADDRESS", "Address for /metrics, /healthz and /readyz, 127.0.0.1:9464.", $"{HttpOptions.Section}:{nameof(HttpOptions.Address)}"),
        new("--otlp", "URI", "Collector that receives the metrics, http://otel:4317.", $"{OtlpOptions.Section}:{nameof(OtlpOptions.Endpoint)}"),
    ];

    /// <param name="builder">The builder of the daemon.</param>
    /// <param name="settings">Read and checked here.</param>
    /// <param name="service">The daemon's name.</param>
    /// <param name="node">This host.</param>
    /// <param name="meter">Name of the daemon's meter, which <typeparamref name="TMetrics"/> creates.</param>
    /// <typeparam name="TReadiness">Says whether the daemon is ready; a service.</typeparam>
    /// <typeparam name="TMetrics">The daemon's instruments; a service. They are created only if a collector reads them.</typeparam>
    public static void AddObserving<TReadiness, TMetrics>(this HostApplicationBuilder builder, Settings settings, string service, string node, string meter)
        where TReadiness : class, IReadiness
        where TMetrics : class
    {
        var http = settings.Read<HttpOptions>(HttpOptions.Section);
        var otlp = settings.Read<OtlpOptions>(OtlpOptions.Section);
        var isPushed = otlp.Endpoint is not null || OtlpVariables.Any(v => !string.IsNullOrEmpty(builder.Configuration[v]));
        if (http.EndPoint is null && !isPushed)
            return;
        builder.Services.AddSingleton(services =>
        {
            // The collector sees only instruments that exist.
            _ = services.GetRequiredService<TMetrics>();
            return Telemetry.Collect(service, node, meter, http.EndPoint is not null, isPushed ? otlp : null);
        });
        builder.Services.AddSingleton<IStartsFirst>(services => http.EndPoint is { } place
            ? new OperatorEndpoint(place, services.GetRequiredService<MeterProvider>(), services.GetRequiredService<TReadiness>(), services.GetRequiredService<DaemonExit>())
            : new PushOnly(services.GetRequiredService<MeterProvider>()));
    }

    /// <summary>A service must request the collector, otherwise nothing is pushed.</summary>
    private sealed class PushOnly(MeterProvider metrics) : IStartsFirst
    {
        public MeterProvider Metrics { get; } = metrics;

        public Task<string?> StartAsync(CancellationToken cancellation) => Task.FromResult<string?>(null);
    }
}
