namespace Maplog.Capture.Observing;

/// <summary>Gaps of one stream for one reason.</summary>
internal sealed class GapCounter
{
    /// <summary>Gap events.</summary>
    public long Gaps { get; private set; }

    /// <summary>Changes (of skips: calls) that they tell of, as far as these could be counted.</summary>
    public long Lost { get; private set; }

    public void Add(long lost)
    {
        Gaps++;
        Lost += Math.Max(0, lost);
    }
}
