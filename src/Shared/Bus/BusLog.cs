using Microsoft.Extensions.Logging;

namespace Maplog.Bus;

/// <summary>What the bus says, with ids that stay. A state is told when it begins, not at every attempt.</summary>
internal static partial class BusLog
{
    [LoggerMessage(301, LogLevel.Information, "Publishing to RabbitMQ at {Address}.")]
    public static partial void Publishing(this ILogger log, string address);

    [LoggerMessage(302, LogLevel.Warning, "{Problem} Meanwhile committed events are not sent: replicas read them from the log.")]
    public static partial void PublishingStopped(this ILogger log, string problem);

    [LoggerMessage(303, LogLevel.Error, "{Problem} Meanwhile committed events are not sent: replicas read them from the log.")]
    public static partial void PublishingRefused(this ILogger log, string problem);

    [LoggerMessage(304, LogLevel.Warning, "{Stream}: a message of {Size} bytes is larger than Maplog:Bus:MaxMessageBytes ({Limit}), and is not sent: replicas read its events from the log.")]
    public static partial void MessageTooLarge(this ILogger log, string stream, int size, int limit);

    [LoggerMessage(311, LogLevel.Information, "{Source}: listening to RabbitMQ at {Address}.")]
    public static partial void Listening(this ILogger log, string source, string address);

    [LoggerMessage(312, LogLevel.Warning, "{Source}: {Problem} Meanwhile the log is polled.")]
    public static partial void ListeningStopped(this ILogger log, string source, string problem);

    [LoggerMessage(313, LogLevel.Error, "{Source}: {Problem} Meanwhile the log is polled.")]
    public static partial void ListeningRefused(this ILogger log, string source, string problem);

    [LoggerMessage(314, LogLevel.Warning, "{Source}: a message could not be read: {Problem} The message is kept in the queue {Queue}, and its range is read from the log.")]
    public static partial void KeptAside(this ILogger log, string source, string problem, string queue);
}
