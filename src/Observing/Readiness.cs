namespace Maplog.Observing;

/// <param name="IsReady">Whether everything is right.</param>
/// <param name="Lines">The state, or the problems with their reasons: one line each.</param>
public sealed record Readiness(bool IsReady, IReadOnlyList<string> Lines);
