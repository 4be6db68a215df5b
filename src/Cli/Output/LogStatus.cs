using Maplog.Log;

namespace Maplog.Cli.Output;

/// <summary>The findings of <c>maplog status</c>.</summary>
/// <param name="At">Postgres' clock at the beginning.</param>
/// <param name="Sources">The sources and their last writers.</param>
/// <param name="Streams">The streams and their heads.</param>
/// <param name="Gaps">The gaps of the last hour.</param>
/// <param name="Replicas">The replicas that report, or did.</param>
internal sealed record LogStatus(
    DateTimeOffset At, IReadOnlyList<SourceStatus> Sources, IReadOnlyList<StreamSummary> Streams, IReadOnlyList<GapSummary> Gaps, IReadOnlyList<ReplicaRow> Replicas)
{
    /// <summary>Whether every source has a writer, and every replica reports and is within its bound.</summary>
    public bool IsWell => Sources.All(s => s.IsWell) && Replicas.All(r => r.IsWell);
}
