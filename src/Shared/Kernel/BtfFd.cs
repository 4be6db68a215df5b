namespace Maplog.Kernel;

/// <summary>A BTF object in the kernel.</summary>
public sealed class BtfFd : OwnedFd;
