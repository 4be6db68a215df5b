using System.ComponentModel.DataAnnotations;
using Maplog.Configuration;
using OpenTelemetry.Exporter;

namespace Maplog.Observing;

/// <summary>
/// Where metrics are pushed by the OpenTelemetry protocol. Section <c>Maplog:Otlp</c>. The standard environment variables
/// (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, <c>OTEL_EXPORTER_OTLP_HEADERS</c> …) work as well.
/// </summary>
public sealed class OtlpOptions : IValidatableObject
{
    public const string Section = "Maplog:Otlp";

    /// <summary>A collector, for example <c>http://otel:4317</c>; for HttpProtobuf the whole address, <c>http://otel:4318/v1/metrics</c>. Default: none, nothing is pushed.</summary>
    public Uri? Endpoint { get; set; }

    /// <summary><c>Grpc</c> or <c>HttpProtobuf</c>. Default: Grpc.</summary>
    public OtlpExportProtocol Protocol { get; set; } = OtlpExportProtocol.Grpc;

    /// <summary>The interval. Default: 15 seconds.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(15);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Endpoint is { } endpoint && (!endpoint.IsAbsoluteUri || endpoint.Scheme is not ("http" or "https")))
            yield return new ValidationResult($"'{Secrets.Hide($"{endpoint}")}' is not the address of a collector: write it as http://otel:4317 (gRPC) or http://otel:4318/v1/metrics (HttpProtobuf).", [nameof(Endpoint)]);
        if (Interval < TimeSpan.FromSeconds(1) || Interval > TimeSpan.FromHours(1))
            yield return new ValidationResult($"{Interval} is out of range: use 00:00:01 to 01:00:00.", [nameof(Interval)]);
    }
}
