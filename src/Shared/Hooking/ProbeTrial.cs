namespace Maplog.Hooking;

/// <summary>A probe that was tried and refused, and why.</summary>
public sealed record ProbeTrial(Probe Probe, string Failure)
{
    public override string ToString() => $"{Probe.Name()}: {Failure}";
}
