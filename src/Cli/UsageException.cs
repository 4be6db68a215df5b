namespace Maplog.Cli;

/// <summary>The command line or the settings are wrong: nothing was done, and the command ends with <see cref="ExitCode.Usage"/>.</summary>
/// <param name="mistakes">A sentence each.</param>
internal sealed class UsageException(params IReadOnlyList<string> mistakes) : Exception(string.Join(" ", mistakes))
{
    public IReadOnlyList<string> Mistakes { get; } = mistakes;
}
