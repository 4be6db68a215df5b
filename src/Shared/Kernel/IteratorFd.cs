namespace Maplog.Kernel;

/// <summary>A descriptor of one run of an iterator.</summary>
internal sealed class IteratorFd : OwnedFd;
