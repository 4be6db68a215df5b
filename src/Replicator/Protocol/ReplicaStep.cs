using Maplog.Events;

namespace Maplog.Replicator.Protocol;

/// <param name="Kind">What to do.</param>
/// <param name="From">First version it concerns, for Apply and ReadLog.</param>
/// <param name="To">Last version it concerns, for Apply and ReadLog.</param>
public readonly record struct ReplicaStep(StepKind Kind, StreamVersion From = default, StreamVersion To = default)
{
    public static ReplicaStep Nothing => default;
}
