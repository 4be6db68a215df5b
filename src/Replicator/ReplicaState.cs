namespace Maplog.Replicator;

/// <summary>The present activity of a replica.</summary>
public enum ReplicaState
{
    /// <summary>The log cannot be reached, or has no such stream yet.</summary>
    Waiting = 0,

    /// <summary>The replica is being built from the log.</summary>
    Building,

    /// <summary>The replica reads a missing range from the log.</summary>
    CatchingUp,

    /// <summary>The replica follows the bus.</summary>
    Following,

    /// <summary>The bus is silent; the replica reads the log every two seconds.</summary>
    Polling,

    /// <summary>The kernel refuses the replica's writes; the replica tries again.</summary>
    Refused,

    /// <summary>The replica's map is the logged map: this node writes the source.</summary>
    Source,

    /// <summary>The replica has ended.</summary>
    Stopped,
}
