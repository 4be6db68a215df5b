namespace Maplog.Kernel;

/// <summary>The kernel's description of a link.</summary>
/// <param name="Id">The kernel's id of the link.</param>
/// <param name="Type">The kernel's number of the kind of link (BPF_LINK_TYPE_*).</param>
/// <param name="ProgramId">The attached program; see <see cref="ProgramInfo.ById"/>.</param>
public sealed record LinkInfo(uint Id, int Type, uint ProgramId);
