namespace Maplog.Replicator.Observing;

/// <summary>The names of states in metrics and in the log.</summary>
internal static class StateNames
{
    public static string Of(ReplicaState state) => state == ReplicaState.CatchingUp ? "catching-up" : state.ToString().ToLowerInvariant();
}
