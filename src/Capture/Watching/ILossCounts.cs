using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Capture.Watching;

/// <summary>The hook's counts of changes that did not reach the ring, and how much of them the log has.</summary>
internal interface ILossCounts
{
    /// <summary>Changes that were lost in a slot since the ring was made.</summary>
    Losses ReadLosses(int slot);

    /// <summary>Calls for which the kernel skipped the hook, by map type.</summary>
    IReadOnlyDictionary<MapType, ulong> ReadSkips();

    /// <summary>The part of a slot's losses that the log has.</summary>
    Accounted ReadAccount(int slot);

    /// <summary>Keeps beside the ring, for the next daemon, the part of a slot's losses that the log has.</summary>
    void Account(int slot, in Accounted account);
}
