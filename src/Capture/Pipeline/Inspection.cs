using Maplog.Events;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// What the kernel's map held for some keys, read at <see cref="ReadAt"/>, waiting to be judged against the fold. It is
/// judged only when the ring has been read past that moment: <see cref="Settle"/> after reading, the ring's end is taken
/// (an operation that was done when we read has written its record by then), and when the reader has passed that end, the
/// fold knows everything that happened before we read.
/// </summary>
internal sealed class Inspection(int keySize, int valueSize, int room)
{
    /// <summary>Nanoseconds an operation has to write its record; a task preempted between the two for longer makes a change look like nobody's.</summary>
    public const long Settle = 10_000_000;

    private ulong? _ringEnd;

    public int KeySize { get; } = keySize;

    public byte[] Keys { get; } = new byte[keySize * room];

    public byte[] Values { get; } = new byte[valueSize * room];

    /// <summary>For keys that were looked up: whether the map had them. A scan has those it found.</summary>
    public bool[] Present { get; } = new bool[room];

    /// <summary>For keys that were looked up: whether a walk found them.</summary>
    public bool[] IsWalked { get; } = new bool[room];

    public int Room { get; } = room;

    public int Count { get; private set; }

    public long ReadAt { get; private set; }

    public Origin Origin { get; private set; }

    public bool IsPending { get; private set; }

    /// <summary>Whether volatile bytes count too.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>The last of a scan: after it, what the scan did not see is gone.</summary>
    public bool EndsScan { get; private set; }

    public ReadOnlySpan<byte> Key(int index) => Keys.AsSpan(index * KeySize, KeySize);

    public Span<byte> Value(int index) => Values.AsSpan(index * valueSize, valueSize);

    /// <summary>When the last of it was read; <see cref="ReadAt"/> is when the first of it was.</summary>
    public long ReadUntil { get; private set; }

    public void Begin(int count, long readAt, Origin origin, bool endsScan, bool isWhole = false, long? readUntil = null)
    {
        (IsWhole, ReadUntil) = (isWhole, readUntil ?? readAt);
        (Count, ReadAt, Origin, EndsScan, IsPending) = (count, readAt, origin, endsScan, true);
        _ringEnd = null;
    }

    /// <summary>Whether the fold may judge it now.</summary>
    public bool IsDue(long now, ulong ringEnd, ulong ringCursor)
    {
        if (!IsPending || now - ReadUntil < Settle)
            return false;
        _ringEnd ??= ringEnd;
        return ringCursor >= _ringEnd;
    }

    public void Done() => IsPending = false;
}
