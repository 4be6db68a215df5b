namespace Maplog.Capture.Pipeline;

/// <summary>
/// .NET keeps what a burst took, for the next one. A capture that rests gives it back: its loop stands still
/// meanwhile, which nobody waits for.
/// </summary>
internal sealed class Heap
{
    private const long Much = 64 << 20;

    private long _allocated = GC.GetTotalAllocatedBytes();

    /// <summary>Gives back all that is not in use.</summary>
    public void GiveBack()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        _allocated = GC.GetTotalAllocatedBytes();
    }

    /// <summary>The same, if much was allocated since the last time.</summary>
    public void GiveBackIfMuch()
    {
        if (GC.GetTotalAllocatedBytes() - _allocated >= Much)
            GiveBack();
    }
}
