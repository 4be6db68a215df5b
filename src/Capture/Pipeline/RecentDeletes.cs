using Maplog.Folding;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// When which key was deleted, for the last moments: the fold forgets a deleted key, but who read the map shortly before
/// the delete must not bring the key back. Remembers at least <see cref="Span"/>, longer while someone is reading.
/// </summary>
internal sealed class RecentDeletes(int keySize)
{
    /// <summary>Nanoseconds.</summary>
    public const long Span = 50_000_000;

    private MapFold _now = new(keySize, 0), _before = new(keySize, 0);
    private long _rotatedAt;

    public void Add(ReadOnlySpan<byte> key, long kernelTime, ushort cpu, bool isRead)
    {
        if (!isRead && kernelTime - _rotatedAt > Span)
        {
            (_now, _before) = (_before, _now);
            _now.Clear();
            _rotatedAt = kernelTime;
        }
        var entry = _now.FindOrAdd(key, out _);
        entry.Stamp = kernelTime;
        entry.Tag = cpu;
    }

    public bool TryFind(ReadOnlySpan<byte> key, out FoldEntry entry) => _now.TryFind(key, out entry) || _before.TryFind(key, out entry);
}
