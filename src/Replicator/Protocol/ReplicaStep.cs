using Maplog.Events;

namespace Maplog.Replicator.Protocol;

/// <param name="Kind">The action.</param>
/// <param name="From">First version of the action, for Apply and ReadLog.</param>
/// <param name="To">Last version of the action, for Apply and ReadLog.</param>
public readonly record struct ReplicaStep(StepKind Kind, StreamVersion From = default, StreamVersion To = default)
{
    public static ReplicaStep Nothing => default;
}
