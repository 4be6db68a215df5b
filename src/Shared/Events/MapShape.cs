using System.Text.Json.Serialization;

namespace Maplog.Events;

/// <summary>All that it takes to make a map like another one. Sizes in bytes.</summary>
/// <param name="Type">The kernel's number of the map type (BPF_MAP_TYPE_*).</param>
/// <param name="KeySize">Bytes of a key.</param>
/// <param name="ValueSize">Bytes of a value; for the per-CPU kinds of one CPU's value.</param>
/// <param name="MaxEntries">Entries the map can hold.</param>
/// <param name="Flags">The kernel's map_flags (BPF_F_*).</param>
/// <param name="PossibleCpus">CPUs a per-CPU value has a slot for; 0 for the other kinds.</param>
public sealed record MapShape(int Type, int KeySize, int ValueSize, uint MaxEntries, int Flags, int PossibleCpus)
{
    /// <summary>Bytes of a value as bpf(2) reads and writes it: for the per-CPU kinds every CPU's, each rounded up to 8.</summary>
    [JsonIgnore]
    public int ValueBytes => PossibleCpus == 0 ? ValueSize : PartSize * PossibleCpus;

    /// <summary>Bytes of one CPU's value among the values of all CPUs, as bpf(2) reads and writes them.</summary>
    [JsonIgnore]
    public int PartSize => (ValueSize + 7) / 8 * 8;
}
