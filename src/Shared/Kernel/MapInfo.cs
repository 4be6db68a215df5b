namespace Maplog.Kernel;

/// <summary>
/// The kernel's description of a map. Sizes are in bytes. A size above <see cref="int.MaxValue"/> is given as that value: the kernel allows
/// such sizes for a few kinds (a Bloom filter before 6.10), none of which has readable keys.
/// </summary>
/// <param name="Id">The kernel's id; it changes when a map is created again, and ids begin again with each boot.</param>
/// <param name="Name">At most 15 characters of [A-Za-z0-9_.], not unique, may be empty.</param>
/// <param name="Type">The kind of map.</param>
/// <param name="KeySize">Bytes of a key.</param>
/// <param name="ValueSize">Bytes of a value; for the per-CPU kinds, of one CPU's value.</param>
/// <param name="MaxEntries">Maximum of entries; for a ring buffer its bytes.</param>
/// <param name="Flags">The flags of its creation; see <see cref="MapFlags"/>.</param>
/// <param name="BtfId">Id of the BTF that describes key and value, 0 if none; see <see cref="MapBtf"/>.</param>
/// <param name="BtfKeyTypeId">The key's type in that BTF.</param>
/// <param name="BtfValueTypeId">The value's type in that BTF.</param>
public sealed record MapInfo(
    uint Id, string Name, MapType Type, int KeySize, int ValueSize, uint MaxEntries, uint Flags,
    uint BtfId, uint BtfKeyTypeId, uint BtfValueTypeId)
{
    /// <summary>
    /// Bytes of a value as bpf(2) reads and writes it: for the per-CPU kinds the values of all possible CPUs, each rounded up to 8.
    /// </summary>
    public int ValueBytes { get; } = Type.IsPerCpu() ? (int)Math.Min((ValueSize + 7L) / 8 * 8 * PossibleCpus.Count, int.MaxValue) : ValueSize;
}
