using Maplog.Events;

namespace Maplog.Btf;

/// <summary>
/// The bytes of a map's values that the kernel owns: spin locks, timers, work queues, roots of lists and trees, pointers to
/// kernel objects. An update leaves these bytes alone whatever the caller has there, and a lookup returns zeros. The caller's
/// value is therefore no description of them: a value counts with zeros there.
/// </summary>
public sealed class KernelBytes
{
    private const int MaxDepth = 16, MaxRanges = 4096;

    private static readonly HashSet<string> Structs =
        ["bpf_spin_lock", "bpf_res_spin_lock", "bpf_timer", "bpf_wq", "bpf_task_work", "bpf_list_head", "bpf_rb_root", "bpf_refcount"];

    private static readonly HashSet<string> PointerTags = ["kptr", "kptr_untrusted", "kptr_ref", "percpu_kptr", "uptr"];

    private readonly List<(int At, int Size)> _ranges = [];
    private readonly int _valueSize, _slot;

    private KernelBytes(MapShape shape)
    {
        _valueSize = shape.ValueSize;
        _slot = shape.PossibleCpus == 0 ? shape.ValueSize : (shape.ValueSize + 7) / 8 * 8;
    }

    /// <param name="btf">The map's BTF; null or empty: it has none.</param>
    /// <param name="valueType">Id of the value's type.</param>
    /// <param name="shape">The map's shape.</param>
    /// <returns>Null: all bytes are the map's users'.</returns>
    public static KernelBytes? Of(byte[]? btf, uint valueType, MapShape shape)
    {
        // Most maps have none of these types: a look for the names is all that they cost.
        if (btf is null || valueType == 0 || !NamesAny(btf, "bpf_"u8) && !NamesAny(btf, "ptr\0"u8) && !NamesAny(btf, "kptr_"u8))
            return null;
        try
        {
            var types = BtfTypes.Parse(btf);
            var bytes = new KernelBytes(shape);
            if (types.SizeOf(valueType) == shape.ValueSize)
                bytes.Add(types, valueType, 0, 0);
            return bytes._ranges.Count == 0 ? null : bytes;
        }
        catch (FormatException)
        {
            // A BTF that this version cannot read: the kernel's own check has passed it, so the map is usable all the same.
            return null;
        }
    }

    /// <summary>Clears them, in place.</summary>
    /// <param name="value">One value; of the per-CPU kinds some CPUs' values, each rounded up to 8 bytes.</param>
    public void Clear(Span<byte> value)
    {
        for (; value.Length >= _valueSize; value = value[Math.Min(_slot, value.Length)..])
        {
            foreach (var (at, size) in _ranges)
                value.Slice(at, size).Clear();
        }
    }

    private static bool NamesAny(ReadOnlySpan<byte> btf, ReadOnlySpan<byte> name) => btf.IndexOf(name) >= 0;

    private void Add(BtfTypes types, uint id, int at, int depth)
    {
        if (depth > MaxDepth)
            return;
        var type = types.Resolve(id);
        switch (type.Kind)
        {
            case BtfKind.Struct when Structs.Contains(type.Name):
                Add(at, type.Size);
                break;
            case BtfKind.Pointer when types[type.Of] is { Kind: BtfKind.TypeTag } tag && PointerTags.Contains(tag.Name):
                Add(at, sizeof(ulong));
                break;
            case BtfKind.Struct or BtfKind.DataSection:
                foreach (var member in type.Members)
                    Add(types, member.Type, at + (int)(member.BitOffset / 8), depth + 1);
                break;
            case BtfKind.Array:
                AddElements(types, type, at, depth);
                break;
        }
    }

    // The first element says whether there is anything in the others.
    private void AddElements(BtfTypes types, BtfType array, int at, int depth)
    {
        var before = _ranges.Count;
        var size = types.SizeOf(array.Of);
        for (var i = 0; i < array.Count && (i == 0 || _ranges.Count > before); i++)
            Add(types, array.Of, at + i * size, depth + 1);
    }

    private void Add(int at, int size)
    {
        if (at + size > _valueSize || _ranges.Count == MaxRanges)
            throw new FormatException($"The BTF has kernel-owned bytes at {at} of a value of {_valueSize} bytes.");
        _ranges.Add((at, size));
    }
}
