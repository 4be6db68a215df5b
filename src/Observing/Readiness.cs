namespace Maplog.Observing;

/// <param name="IsReady">Whether all is as it should be.</param>
/// <param name="Lines">What is, or what is not and why: a line each.</param>
public sealed record Readiness(bool IsReady, IReadOnlyList<string> Lines);
