namespace Maplog.Cli.Checks;

/// <summary>Looks at one area. A new check is a line in one of these; a new area is a new one in <see cref="Checkups"/>.</summary>
internal interface ICheckup
{
    string Area { get; }

    /// <summary>Never throws for what it finds: a lack is a finding.</summary>
    Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellation);
}
