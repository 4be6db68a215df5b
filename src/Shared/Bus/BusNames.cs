namespace Maplog.Bus;

/// <summary>
/// What exists in RabbitMQ. Per source an exchange <c>maplog.SOURCE</c>, direct, with one routing key. Per replicator a queue
/// <c>maplog.SOURCE.LISTENER</c>, before it an exchange of the same name, and beside it <c>….broken</c> for what could not be read.
/// </summary>
internal static class BusNames
{
    public const string ExchangeType = RabbitMQ.Client.ExchangeType.Direct;

    /// <summary>Of all that is sent. With another key, or none, a message goes to nobody.</summary>
    public const string RoutingKey = "events";

    public static string Exchange(string source) => $"maplog.{source}";

    public static string Queue(string source, string listener) => $"maplog.{source}.{listener}";

    public static string BrokenQueue(string queue) => $"{queue}.broken";
}
