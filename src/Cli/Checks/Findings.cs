namespace Maplog.Cli.Checks;

/// <summary>The checks of one area as they are found.</summary>
internal sealed class Findings(string area)
{
    private readonly List<Check> _checks = [];

    public IReadOnlyList<Check> All => _checks;

    public void Ok(string name, string finding) => Add(name, CheckState.Ok, finding);

    public void Warn(string name, string finding, string? advice) => Add(name, CheckState.Warning, finding, advice);

    public void Fail(string name, string finding, string? advice) => Add(name, CheckState.Failure, finding, advice);

    public void OkOrWarn(bool ok, string name, string finding, string lack, string advice)
    {
        if (ok)
            Ok(name, finding);
        else
            Warn(name, lack, advice);
    }

    // A sentence of the kernel layer is one line; the lines of libbpf follow.
    private void Add(string name, CheckState state, string finding, string? advice = null)
    {
        var lines = finding.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        _checks.Add(new Check(area, name, state, lines[0], advice) { Details = lines[1..] });
    }
}
