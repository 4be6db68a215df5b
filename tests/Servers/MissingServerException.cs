namespace Maplog.Servers;

/// <summary>A server that is wanted here is not installed. Tests fail with it; they never skip.</summary>
public sealed class MissingServerException(string message) : Exception(message);
