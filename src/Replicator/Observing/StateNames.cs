namespace Maplog.Replicator.Observing;

/// <summary>States as metrics and the log have them.</summary>
internal static class StateNames
{
    public static string Of(ReplicaState state) => state == ReplicaState.CatchingUp ? "catching-up" : state.ToString().ToLowerInvariant();
}
