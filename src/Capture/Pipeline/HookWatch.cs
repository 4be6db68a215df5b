using Maplog.Capture.Watching;
using Maplog.Hooking;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// Looks whether the pinned hook that a session reads is still this daemon's, whole, and told to record what the session follows.
/// </summary>
internal sealed class HookWatch(CaptureHook hook, HookClaim claim, MapRegistry registry)
{
    /// <summary>Kernel time at which it was last known to be.</summary>
    public long SoundAt { get; private set; } = KernelClock.Now;

    /// <exception cref="HookLostException">It is not.</exception>
    public void Look()
    {
        if (!hook.IsPinned)
            return; // Nobody else has a hold of it.
        var now = KernelClock.Now;
        if ((claim.FindFault() ?? hook.FindFault() ?? registry.FindUnwatched()) is { } fault)
            throw new HookLostException(fault, SoundAt);
        SoundAt = now;
    }
}
