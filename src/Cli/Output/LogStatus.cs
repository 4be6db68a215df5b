using Maplog.Log;

namespace Maplog.Cli.Output;

/// <summary>What <c>maplog status</c> has found.</summary>
/// <param name="At">Postgres' clock when it began to look.</param>
/// <param name="Sources">The sources and who wrote last.</param>
/// <param name="Streams">The streams and their heads.</param>
/// <param name="Gaps">Of the last hour.</param>
/// <param name="Replicas">Those that report, or did.</param>
internal sealed record LogStatus(
    DateTimeOffset At, IReadOnlyList<SourceStatus> Sources, IReadOnlyList<StreamSummary> Streams, IReadOnlyList<GapSummary> Gaps, IReadOnlyList<ReplicaRow> Replicas)
{
    /// <summary>Whether every source is written, and every replica reports and is within its bound.</summary>
    public bool IsWell => Sources.All(s => s.IsWell) && Replicas.All(r => r.IsWell);
}
