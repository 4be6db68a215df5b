namespace Maplog.Hooking;

/// <summary>A probe that the kernel refused, and why.</summary>
public sealed record ProbeTrial(Probe Probe, string Failure)
{
    public override string ToString() => $"{Probe.Name()}: {Failure}";
}
