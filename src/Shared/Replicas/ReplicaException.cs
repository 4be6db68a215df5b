namespace Maplog.Replicas;

/// <summary>A replica cannot be maintained; the message names the replica, the reason, and what to do.</summary>
public sealed class ReplicaException : Exception
{
    public ReplicaException(string message, Exception? inner = null, bool mayPass = false)
        : base(message, inner) => MayPass = mayPass;

    /// <summary>Whether the same call may succeed later, when the map has room or is free; otherwise only other settings help.</summary>
    public bool MayPass { get; }
}
