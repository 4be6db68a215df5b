namespace Maplog.Replicas;

/// <summary>A replica cannot be kept; the message says which, why, and what to do about it.</summary>
public sealed class ReplicaException : Exception
{
    public ReplicaException(string message, Exception? inner = null, bool mayPass = false)
        : base(message, inner) => MayPass = mayPass;

    /// <summary>Whether the same may succeed later, when somebody has made room or freed the map; otherwise only other settings help.</summary>
    public bool MayPass { get; }
}
