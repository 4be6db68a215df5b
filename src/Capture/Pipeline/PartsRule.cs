using System.IO.Hashing;
using Maplog.Events;
using Maplog.Kernel;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// Which updates of a per-CPU map may carry the parts of the value alone that changed. About one of 32 updates of a key carries the
/// whole value, so that whoever reads a single change finds the whole value a few changes earlier. An LRU map's replica may have
/// evicted the entry, and then has no value into which parts could go: such a map's updates are whole.
/// </summary>
internal sealed class PartsRule(MapShape shape)
{
    private const ulong WholeEvery = 32;

    private readonly bool _applies = shape.PossibleCpus > 1 && !((MapType)shape.Type).IsLru();

    /// <param name="key">The entry's key.</param>
    /// <param name="version">The version that the update gets.</param>
    /// <param name="changedAt">When the entry last changed, by the kernel's clock.</param>
    /// <param name="wholeBefore">Since then the writer's term goes on without a gap.</param>
    public bool Allows(ReadOnlySpan<byte> key, StreamVersion version, long changedAt, long wholeBefore) =>
        _applies && changedAt >= wholeBefore && XxHash3.HashToUInt64(key, version.Value) % WholeEvery != 0;
}
