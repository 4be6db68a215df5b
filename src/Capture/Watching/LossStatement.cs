using Maplog.Hooking;

namespace Maplog.Capture.Watching;

/// <summary>The losses that one batch has, and the slots whose maps were closed in it.</summary>
/// <param name="Accounts">The accounts that are true when the batch is committed, by slot.</param>
/// <param name="Freed">The slots that other maps may have from then on.</param>
internal sealed record LossStatement(IReadOnlyDictionary<int, Accounted> Accounts, IReadOnlyList<int> Freed);
