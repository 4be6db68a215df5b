using Maplog.Hooking;
using Maplog.Log;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Pipeline;

/// <summary>Keeps beside the hook how far each stream is committed.</summary>
internal sealed class HeadKeeper(CommittedHeads heads, ILogger log)
{
    private bool _hasComplained;

    /// <param name="batch">A batch that is committed.</param>
    public void Keep(EventBatch batch)
    {
        foreach (var range in batch.Streams)
        {
            if (heads.Set(range.Stream.Name.Map, range.Last.Value) || _hasComplained)
                continue;
            _hasComplained = true;
            log.HeadNotKept(range.Stream.Key);
        }
    }
}
