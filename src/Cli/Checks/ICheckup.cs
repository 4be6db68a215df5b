namespace Maplog.Cli.Checks;

/// <summary>
/// Checks one area. A new check is a line in one of the implementations; a new area is a new one in <see cref="Checkups"/>.
/// </summary>
internal interface ICheckup
{
    string Area { get; }

    /// <summary>Never throws because of a finding: a problem is a finding.</summary>
    Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellation);
}
