namespace Maplog.Bus;

/// <summary>RabbitMQ is there and says no: login, virtual host, permission, or a queue made with other limits. Waiting does not help; a person must change something.</summary>
public sealed class BusRefusedException(string message, Exception? inner = null) : Exception(message, inner);
