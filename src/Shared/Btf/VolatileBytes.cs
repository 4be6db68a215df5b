using Maplog.Events;

namespace Maplog.Btf;

/// <summary>
/// The bytes of a map's values that change all the time and matter to nobody by themselves: counters, times. A difference in these
/// bytes alone is not a change; they travel with the next change of other bytes.
/// </summary>
public sealed class VolatileBytes
{
    private readonly IReadOnlyList<(int At, int Size)> _ranges;
    private readonly int _slot;

    /// <param name="ranges">Offsets in one value, and sizes.</param>
    /// <param name="shape">The map's shape; of the per-CPU kinds the ranges count for each CPU's value.</param>
    public VolatileBytes(IReadOnlyList<(int At, int Size)> ranges, MapShape shape)
    {
        if (ranges.Any(r => r.At < 0 || r.Size < 1 || r.At + r.Size > shape.ValueSize))
            throw new ArgumentException($"A range lies outside a value of {shape.ValueSize} bytes.", nameof(ranges));
        (_ranges, _slot) = (ranges, shape.PossibleCpus == 0 ? shape.ValueSize : shape.PartSize);
    }

    /// <summary>Clears them, in place.</summary>
    /// <param name="value">One value; of the per-CPU kinds all CPUs' values.</param>
    public void Clear(Span<byte> value)
    {
        for (; value.Length > 0; value = value[Math.Min(_slot, value.Length)..])
        {
            foreach (var (at, size) in _ranges)
                value.Slice(at, size).Clear();
        }
    }

    /// <summary>Copies them, and no others, from one value to another.</summary>
    public void Copy(ReadOnlySpan<byte> from, Span<byte> to)
    {
        for (var slot = 0; slot < to.Length; slot += _slot)
        {
            foreach (var (at, size) in _ranges)
                from.Slice(slot + at, size).CopyTo(to[(slot + at)..]);
        }
    }
}
