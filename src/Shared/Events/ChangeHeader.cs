namespace Maplog.Events;

/// <summary>What a change event carries beside key and value.</summary>
public readonly record struct ChangeHeader
{
    public Origin Origin { get; init; }

    public ushort Cpu { get; init; }

    /// <summary>Thread group in the initial pid namespace. For a networking program: the task it happened to interrupt.</summary>
    public uint Tgid { get; init; }

    public Epoch Epoch { get; init; }

    /// <summary>Nanoseconds since boot, suspend included (CLOCK_BOOTTIME), taken in the hook.</summary>
    public long KernelTime { get; init; }

    /// <summary>Bytes since the ring was made; with the ring of the epoch (see <see cref="EpochStarted"/>) the record's identity. Negative: not from a ring.</summary>
    public long RingPosition { get; init; }

    /// <summary>Place in the record, for a record of several changes.</summary>
    public uint RecordIndex { get; init; }
}
