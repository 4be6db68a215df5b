namespace Maplog.Capture.Pipeline;

/// <summary>The hook that this daemon reads is its own no more, or no longer records all that it should.</summary>
/// <param name="why">A sentence.</param>
/// <param name="soundAt">Kernel time at which it was last known to be sound.</param>
internal sealed class HookLostException(string why, long soundAt) : Exception(why)
{
    public long SoundAt { get; } = soundAt;
}
