using Maplog.Events;

namespace Maplog.Btf;

/// <summary>
/// What a map's BTF says of its keys and values, as the log keeps it. Addresses and ports are told from numbers by the types
/// that the kernel has for them (__be16, __be32, in_addr, in6_addr). Where a type does not say it, the names that programs give
/// such fields (<see cref="FieldNames"/>) do, and the field is marked as a guess. The byte order is the type's: a <c>__u16</c>
/// named <c>port</c> is a number in the machine's byte order, a <c>__be16</c> is one in network byte order.
/// </summary>
public static class FieldTypes
{
    private const int Deepest = 16;

    /// <summary>More than this is no description, but a program's whole state.</summary>
    private const int MaxFields = 2000;

    /// <param name="map">The map, its BTF with it.</param>
    /// <returns>Null: the map has no BTF that fits it.</returns>
    public static MapFields? Of(MapOpened map)
    {
        if (map.Btf is not { Length: > 0 })
            return null;
        try
        {
            var types = BtfTypes.Parse(map.Btf);
            var key = map.BtfKeyType != 0 && types.SizeOf(map.BtfKeyType) == map.Shape.KeySize ? Of(types, map.BtfKeyType) : null;
            var value = map.BtfValueType != 0 && types.SizeOf(map.BtfValueType) == map.Shape.ValueSize ? Of(types, map.BtfValueType) : null;
            return key is null && value is null ? null : new MapFields(key, value);
        }
        catch (FormatException)
        {
            // The bytes are shown in hex then; who shows them by BTF says why (EntryFormat).
            return null;
        }
    }

    /// <summary>What one type says.</summary>
    /// <param name="types">The BTF that has it.</param>
    /// <param name="type">Its id.</param>
    /// <returns>Null: it has more fields, or deeper ones, than a description has.</returns>
    /// <exception cref="FormatException">The BTF is damaged.</exception>
    public static FieldType? Of(BtfTypes types, uint type) => new Reader(types).Read("", type, 0);

    private sealed class Reader(BtfTypes types)
    {
        private int _fields;

        public FieldType? Read(string name, uint id, int depth)
        {
            if (depth > Deepest || ++_fields > MaxFields)
                return null;
            var type = types.Resolve(id);
            var size = types.SizeOf(id);
            return Known(name, Aliases(id), type, size) ?? type.Kind switch
            {
                BtfKind.Integer when size > 8 => new FieldType(FieldKind.Bytes, size),
                BtfKind.Integer when type.Encoding == BtfInteger.Boolean => new FieldType(FieldKind.Boolean, size),
                BtfKind.Integer => new FieldType(type.IsSigned ? FieldKind.SignedNumber : FieldKind.Number, size),
                BtfKind.Pointer => new FieldType(FieldKind.Number, size),
                BtfKind.Enum or BtfKind.Enum64 => new FieldType(FieldKind.Enumeration, size) { Names = type.Values.ToDictionary(v => Unsigned(v.Key, size), v => v.Value) },
                BtfKind.Array => ReadArray(name, type, size, depth),
                BtfKind.Struct or BtfKind.Union or BtfKind.DataSection => ReadStruct(type, size, depth),
                _ => new FieldType(FieldKind.Bytes, size),
            };
        }

        private FieldType? ReadArray(string name, BtfType array, int size, int depth)
        {
            var element = types.Resolve(array.Of);
            if (element.Kind == BtfKind.Integer && element.Size == 1 && (element.Name == "char" || element.Encoding == BtfInteger.Character))
                return new FieldType(FieldKind.Text, size);
            return Read(name, array.Of, depth + 1) is { } of ? new FieldType(FieldKind.Array, size) { Count = array.Count, Of = of } : null;
        }

        private FieldType? ReadStruct(BtfType type, int size, int depth)
        {
            var fields = new List<FieldType>();
            return ReadMembers(type, 0, fields, depth) ? new FieldType(FieldKind.Struct, size) { Fields = fields } : null;
        }

        private bool ReadMembers(BtfType type, int at, List<FieldType> fields, int depth)
        {
            foreach (var member in type.Members)
            {
                var inner = types.Resolve(member.Type);
                var name = type.Kind == BtfKind.DataSection ? types[member.Type].Name : member.Name;
                var offset = at + (int)(member.BitOffset / 8);
                // In C the members of an anonymous struct are the outer one's.
                if (name.Length == 0 && inner.Kind is BtfKind.Struct or BtfKind.Union)
                {
                    if (depth >= Deepest || !ReadMembers(inner, offset, fields, depth + 1))
                        return false;
                    continue;
                }
                var isBits = member.BitSize > 0 || member.BitOffset % 8 != 0;
                var field = isBits
                    ? BitField((int)(member.BitOffset % 8), member.BitSize > 0 ? (int)member.BitSize : inner.Size * 8)
                    : Read(name, member.Type, depth + 1);
                if (field is null)
                    return false;
                fields.Add(field with { Name = name, At = offset });
            }
            return true;
        }

        private static FieldType BitField(int bit, int bits) => new(FieldKind.Bits, (bit + bits + 7) / 8) { Bit = bit, Bits = bits };

        private static FieldType? Known(string name, IReadOnlyList<string> aliases, BtfType type, int size)
        {
            var isNetwork = aliases.Any(a => a is "__be16" or "__be32" or "__be64" or "be16" or "be32" or "be64");
            return type.Kind switch
            {
                BtfKind.Struct when type.Name == "in_addr" && size == 4 => new FieldType(FieldKind.Ipv4, size),
                BtfKind.Struct when type.Name == "in6_addr" && size == 16 => new FieldType(FieldKind.Ipv6, size),
                BtfKind.Integer when isNetwork && size == 2 && FieldNames.IsPort(name) => new FieldType(FieldKind.Port, size),
                BtfKind.Integer when isNetwork && size == 4 && FieldNames.IsAddress(name) => new FieldType(FieldKind.Ipv4, size),
                BtfKind.Integer when isNetwork => new FieldType(FieldKind.BigEndian, size),
                // Programs keep ports both ways in a __u16. The type says a number of this machine, and whether that is right only they know.
                BtfKind.Integer when size == 2 && !type.IsSigned && FieldNames.IsPort(name) => new FieldType(FieldKind.Number, size) { Guess = true },
                BtfKind.Integer when size == 4 && !type.IsSigned && FieldNames.IsAddress(name) => new FieldType(FieldKind.Ipv4, size) { Guess = true },
                BtfKind.Array when size == 16 && FieldNames.IsAddress(name) => new FieldType(FieldKind.Ipv6, size) { Guess = true },
                BtfKind.Array when size == 6 && FieldNames.IsLink(name) => new FieldType(FieldKind.Mac, size) { Guess = true },
                _ => null,
            };
        }

        private List<string> Aliases(uint id)
        {
            var names = new List<string>();
            for (var type = types[id]; type.IsAlias && names.Count <= types.Count; type = types[type.Of])
                names.Add(type.Name);
            return names;
        }

        private static string Unsigned(long value, int size) => size >= 8 ? $"{(ulong)value}" : $"{(ulong)value & (1UL << size * 8) - 1}";
    }
}
