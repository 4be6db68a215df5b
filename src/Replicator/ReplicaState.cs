namespace Maplog.Replicator;

/// <summary>What a replica is about.</summary>
public enum ReplicaState
{
    /// <summary>The log cannot be reached, or has no such stream yet.</summary>
    Waiting = 0,

    /// <summary>It is built from the log.</summary>
    Building,

    /// <summary>It reads a missing range from the log.</summary>
    CatchingUp,

    /// <summary>It follows the bus.</summary>
    Following,

    /// <summary>The bus is silent, it looks into the log every two seconds.</summary>
    Polling,

    /// <summary>The kernel refuses its writes; it tries again.</summary>
    Refused,

    /// <summary>Its map is the one that is logged: this node writes the source.</summary>
    Source,

    /// <summary>It has ended.</summary>
    Stopped,
}
