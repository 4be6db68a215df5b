using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Capture.Watching;

/// <summary>The counts of an attached hook.</summary>
internal sealed class HookLosses(CaptureHook hook) : ILossCounts
{
    public Losses ReadLosses(int slot) => hook.ReadLosses(slot);

    public IReadOnlyDictionary<MapType, ulong> ReadSkips() => hook.ReadSkips();

    public Accounted ReadAccount(int slot) => hook.ReadAccount(slot);

    public void Account(int slot, in Accounted account) => hook.Account(slot, account);
}
