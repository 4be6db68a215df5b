namespace Maplog.Bus;

/// <summary>RabbitMQ is there and says no: login, virtual host, permission, or a queue made with other limits. A person must change something; daemons try again until then.</summary>
public sealed class BusRefusedException(string message, Exception? inner = null) : Exception(message, inner);
