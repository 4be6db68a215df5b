namespace Maplog.Cli.Checks;

/// <summary>One finding of the doctor.</summary>
/// <param name="Area">kernel, privileges, probes, hooks, log or bus.</param>
/// <param name="Name">What was looked at.</param>
/// <param name="State">How it came out.</param>
/// <param name="Finding">What is there.</param>
/// <param name="Advice">What to do about a lack, else null.</param>
internal sealed record Check(string Area, string Name, CheckState State, string Finding, string? Advice = null)
{
    /// <summary>More about the finding, for those who look closer: the lines that libbpf said.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];
}
