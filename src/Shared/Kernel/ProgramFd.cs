namespace Maplog.Kernel;

/// <summary>A descriptor of a loaded program.</summary>
internal sealed class ProgramFd : OwnedFd;
