namespace Maplog.Bus;

/// <summary>A message from the bus cannot be read.</summary>
internal sealed class BrokenMessageException(string message) : Exception(message);
