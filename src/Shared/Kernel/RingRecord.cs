namespace Maplog.Kernel;

/// <summary>One record, in place in the ring: use it before the next record is read, and before the reader is disposed.</summary>
public readonly ref struct RingRecord
{
    /// <param name="position">See <see cref="Position"/>.</param>
    /// <param name="data">See <see cref="Data"/>; a copy serves as well, where a record is to be used later.</param>
    public RingRecord(ulong position, ReadOnlySpan<byte> data)
    {
        Position = position;
        Data = data;
    }

    /// <summary>
    /// The position of the record's header, in bytes since the ring was created. Together with the ring's map id and the boot id it
    /// identifies the record.
    /// </summary>
    public ulong Position { get; }

    /// <summary>The data of the program, without the kernel's header of 8 bytes.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>The position of the next header: release this position when this record, and all before it, are safe.</summary>
    public ulong End => RingReader.EndOf(Position, (uint)Data.Length);
}
