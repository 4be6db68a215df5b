namespace Maplog.Kernel;

/// <summary>One record, in place in the ring: to be used before the next is read, and before the reader is disposed.</summary>
public readonly ref struct RingRecord
{
    /// <param name="position">See <see cref="Position"/>.</param>
    /// <param name="data">See <see cref="Data"/>; a copy serves as well, where a record is to be used later.</param>
    public RingRecord(ulong position, ReadOnlySpan<byte> data)
    {
        Position = position;
        Data = data;
    }

    /// <summary>Where the record's header begins, in bytes since the ring was made. With the ring's map id and the boot id, the record's identity.</summary>
    public ulong Position { get; }

    /// <summary>What the program wrote, without the kernel's header of 8 bytes.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>Where the next header begins: the position to release when this record, and all before it, are safe.</summary>
    public ulong End => RingReader.EndOf(Position, (uint)Data.Length);
}
