namespace Maplog.Tests.Faults;

/// <summary>Something that no waiting mends.</summary>
internal sealed class BrokenPromiseException(string message, Exception? inner = null) : Exception(message, inner);
