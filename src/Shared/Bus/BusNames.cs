using Maplog.Events;

namespace Maplog.Bus;

/// <summary>
/// What exists in RabbitMQ. Per source a topic exchange <c>maplog.SOURCE</c>, the routing key being the map's name. Per replica a
/// queue <c>maplog.SOURCE.NODE.MAP</c>, and beside it <c>….broken</c> for what could not be read.
/// </summary>
internal static class BusNames
{
    public static string Exchange(string source) => $"maplog.{source}";

    public static string RoutingKey(StreamName stream) => stream.Map;

    public static string Queue(StreamName stream, string node) => $"maplog.{stream.Source}.{node}.{stream.Map}";

    public static string BrokenQueue(string queue) => $"{queue}.broken";
}
