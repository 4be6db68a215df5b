namespace Maplog.Cli.Checks;

/// <summary>One finding of the doctor.</summary>
/// <param name="Area">kernel, privileges, probes, hooks, log or bus.</param>
/// <param name="Name">The subject of the check.</param>
/// <param name="State">The result.</param>
/// <param name="Finding">The present state.</param>
/// <param name="Advice">What to do about a problem, otherwise null.</param>
internal sealed record Check(string Area, string Name, CheckState State, string Finding, string? Advice = null)
{
    /// <summary>Details of the finding: the lines of libbpf.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];
}
