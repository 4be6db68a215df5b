using Maplog.Events;

namespace Maplog.Btf;

/// <summary>
/// What a map's BTF says of its keys and values, as the log keeps it. Addresses and ports are told from numbers by the types
/// that the kernel has for them (__be16, __be32, in_addr, in6_addr) and by the names that everybody gives them
/// (<see cref="FieldNames"/>); where that is wrong, a hint says better.
/// </summary>
public static class FieldTypes
{
    private const int Deepest = 16;

    /// <summary>More than this is no description, but a program's whole state.</summary>
    private const int MostFields = 2000;

    /// <param name="map">The map, its BTF with it.</param>
    /// <param name="hints">What a field means, by its path (<c>key.dport</c>, <c>value.peer.addr</c>); null: none.</param>
    /// <returns>Null: the map has no BTF that fits it.</returns>
    public static MapFields? Of(MapOpened map, IReadOnlyDictionary<string, FieldKind>? hints = null)
    {
        if (map.Btf is not { Length: > 0 })
            return null;
        try
        {
            var types = BtfTypes.Parse(map.Btf);
            var reader = new Reader(types, hints ?? new Dictionary<string, FieldKind>());
            var key = map.BtfKeyType != 0 && types.SizeOf(map.BtfKeyType) == map.Shape.KeySize ? reader.Read("key", map.BtfKeyType) : null;
            var value = map.BtfValueType != 0 && types.SizeOf(map.BtfValueType) == map.Shape.ValueSize ? reader.Read("value", map.BtfValueType) : null;
            return key is null && value is null ? null : new MapFields(key, value);
        }
        catch (FormatException)
        {
            // The bytes are shown in hex then; who shows them by BTF says why (EntryFormat).
            return null;
        }
    }

    private sealed class Reader(BtfTypes types, IReadOnlyDictionary<string, FieldKind> hints)
    {
        private int _fields;

        public FieldType? Read(string path, uint type)
        {
            _fields = 0;
            return Read(path, "", type, 0);
        }

        private FieldType? Read(string path, string name, uint id, int depth)
        {
            if (depth > Deepest || ++_fields > MostFields)
                return null;
            var type = types.Resolve(id);
            var size = types.SizeOf(id);
            if (hints.TryGetValue(path, out var hint))
                return new FieldType(hint, size);
            if (Known(name, Aliases(id), type, size) is { } kind)
                return new FieldType(kind, size);
            return type.Kind switch
            {
                BtfKind.Integer when size > 8 => new FieldType(FieldKind.Bytes, size),
                BtfKind.Integer when type.Encoding == BtfInteger.Boolean => new FieldType(FieldKind.Boolean, size),
                BtfKind.Integer => new FieldType(type.IsSigned ? FieldKind.SignedNumber : FieldKind.Number, size),
                BtfKind.Pointer => new FieldType(FieldKind.Number, size),
                BtfKind.Enum or BtfKind.Enum64 => new FieldType(FieldKind.Enumeration, size) { Names = type.Values.ToDictionary(v => Unsigned(v.Key, size), v => v.Value) },
                BtfKind.Array => ReadArray(path, name, type, size, depth),
                BtfKind.Struct or BtfKind.Union => ReadStruct(path, type, size, depth),
                _ => new FieldType(FieldKind.Bytes, size),
            };
        }

        private FieldType? ReadArray(string path, string name, BtfType array, int size, int depth)
        {
            var element = types.Resolve(array.Of);
            if (element.Kind == BtfKind.Integer && element.Size == 1 && (element.Name == "char" || element.Encoding == BtfInteger.Character))
                return new FieldType(FieldKind.Text, size);
            return Read($"{path}[]", name, array.Of, depth + 1) is { } of ? new FieldType(FieldKind.Array, size) { Count = array.Count, Of = of } : null;
        }

        private FieldType? ReadStruct(string path, BtfType type, int size, int depth)
        {
            var fields = new List<FieldType>();
            return ReadMembers(path, type, 0, fields, depth) ? new FieldType(FieldKind.Struct, size) { Fields = fields } : null;
        }

        private bool ReadMembers(string path, BtfType type, int at, List<FieldType> fields, int depth)
        {
            foreach (var member in type.Members)
            {
                var inner = types.Resolve(member.Type);
                var offset = at + (int)(member.BitOffset / 8);
                // In C the members of an anonymous struct are the outer one's.
                if (member.Name.Length == 0 && inner.Kind is BtfKind.Struct or BtfKind.Union)
                {
                    if (depth >= Deepest || !ReadMembers(path, inner, offset, fields, depth + 1))
                        return false;
                    continue;
                }
                var isBits = member.BitSize > 0 || member.BitOffset % 8 != 0;
                var field = isBits
                    ? BitField((int)(member.BitOffset % 8), member.BitSize > 0 ? (int)member.BitSize : inner.Size * 8)
                    : Read($"{path}.{member.Name}", member.Name, member.Type, depth + 1);
                if (field is null)
                    return false;
                fields.Add(field with { Name = member.Name, At = offset });
            }
            return true;
        }

        private static FieldType BitField(int bit, int bits) => new(FieldKind.Bits, (bit + bits + 7) / 8) { Bit = bit, Bits = bits };

        private static FieldKind? Known(string name, IReadOnlyList<string> aliases, BtfType type, int size)
        {
            var isNetwork = aliases.Any(a => a is "__be16" or "__be32" or "__be64" or "be16" or "be32" or "be64");
            return type.Kind switch
            {
                BtfKind.Struct when type.Name == "in_addr" && size == 4 => FieldKind.Ipv4,
                BtfKind.Struct when type.Name == "in6_addr" && size == 16 => FieldKind.Ipv6,
                BtfKind.Integer when size == 2 && FieldNames.IsPort(name) => FieldKind.Port,
                BtfKind.Integer when size == 4 && !type.IsSigned && FieldNames.IsAddress(name) => FieldKind.Ipv4,
                BtfKind.Integer when isNetwork => FieldKind.BigEndian,
                BtfKind.Array when size == 16 && FieldNames.IsAddress(name) => FieldKind.Ipv6,
                BtfKind.Array when size == 6 && FieldNames.IsLink(name) => FieldKind.Mac,
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
