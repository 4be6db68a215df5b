using Maplog.Capture.Watching;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Capture.Terms;

/// <summary>How far the replicas of a source on this node are: whether it could write the source from here on.</summary>
/// <param name="Behind">Versions between them and the heads, of the worst; null: a replica is missing.</param>
/// <param name="Problem">What is missing, a sentence; null: nothing.</param>
internal readonly record struct LocalReplicas(long? Behind, string? Problem)
{
    /// <summary>Whether they have all that the log has.</summary>
    public bool AreLevel => Behind == 0 && Problem is null;

    public static async Task<LocalReplicas> MeasureAsync(LogReader reader, OwnReplicas replicas, string source, string node, CancellationToken cancellation)
    {
        long behind = 0;
        foreach (var stream in await reader.ListStreamsAsync(source, cancellation))
        {
            if (stream.Opened is not { } opened || stream.Head.Kind == EventKind.MapClosed)
                continue;
            if (replicas.Find(stream.Stream, opened.Shape) is not { } replica)
                return new LocalReplicas(null, $"Node {node} has no replica of {stream.Stream} that its capture watches: start a replicator for the stream there, and watch the replica's pin.");
            behind = Math.Max(behind, stream.Head.Version - OwnReplicas.VersionOf(replica, stream.Stream));
        }
        return new LocalReplicas(behind, null);
    }
}
