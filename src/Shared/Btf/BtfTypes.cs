using System.Buffers.Binary;
using System.Text;

namespace Maplog.Btf;

/// <summary>The types of a raw BTF, as a .BTF section or a <c>MapOpened</c> event holds it. Id 0 is void.</summary>
public sealed class BtfTypes
{
    private const ushort Magic = 0xeb9f;
    private static readonly BtfType Void = Make(BtfKind.Void, "");
    private readonly List<BtfType> _types = [Void];

    private BtfTypes()
    {
    }

    /// <summary>Types, void included: ids go from 0 to one below.</summary>
    public int Count => _types.Count;

    /// <exception cref="FormatException">There is no such type.</exception>
    public BtfType this[uint id] =>
        id < (uint)_types.Count ? _types[(int)id] : throw new FormatException($"The BTF has no type {id}: it has {_types.Count}.");

    /// <exception cref="FormatException">The bytes are not a BTF, or one of a kind that this version does not know.</exception>
    public static BtfTypes Parse(ReadOnlySpan<byte> btf)
    {
        var types = new BtfTypes();
        try
        {
            types.Read(btf);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            throw new FormatException($"The BTF of {btf.Length} bytes is cut off or damaged.", e);
        }
        return types;
    }

    /// <summary>The type under all its typedefs and qualifiers.</summary>
    /// <exception cref="FormatException">It has none: the names go in a circle.</exception>
    public BtfType Resolve(uint id)
    {
        var type = this[id];
        for (var steps = 0; type.IsAlias; steps++)
        {
            if (steps > _types.Count)
                throw new FormatException($"Type {id} of the BTF is a typedef of itself.");
            type = this[type.Of];
        }
        return type;
    }

    /// <summary>Bytes of a value of this type.</summary>
    public int SizeOf(uint id)
    {
        var type = Resolve(id);
        return type.Kind switch
        {
            BtfKind.Pointer => 8,
            BtfKind.Array => checked(type.Count * SizeOf(type.Of)),
            _ => type.Size,
        };
    }

    /// <summary>The ids of the types with a name as C writes it (<c>struct flow</c>, <c>flow_t</c>, <c>unsigned int</c>), but for mere declarations.</summary>
    public IReadOnlyList<uint> Find(string name)
    {
        var word = name.Split(' ', 2) is ["struct" or "union" or "enum", var tag] ? tag : name;
        var found = new List<uint>();
        for (var id = 1u; id < _types.Count; id++)
            if (_types[(int)id] is { Kind: not (BtfKind.Forward or BtfKind.Function or BtfKind.Variable or BtfKind.DataSection) } type && type.Name == word)
                found.Add(id);
        return found;
    }

    /// <summary>The types of key and value in a map's definition (<c>__type(key, …)</c>); 0 for one that it does not name.</summary>
    /// <returns>Null: the object defines no map of this name.</returns>
    public (uint Key, uint Value)? FindMap(string map)
    {
        var maps = _types.FirstOrDefault(t => t.Kind == BtfKind.DataSection && t.Name == ".maps");
        var variable = maps?.Members.Select(m => this[m.Type]).FirstOrDefault(v => v.Name == map);
        if (variable is null || Resolve(variable.Of) is not { Kind: BtfKind.Struct } definition)
            return null;
        return (Pointed("key"), Pointed("value"));

        uint Pointed(string member) =>
            definition.Members.FirstOrDefault(m => m.Name == member) is { } found && Resolve(found.Type) is { Kind: BtfKind.Pointer } pointer ? pointer.Of : 0;
    }

    private void Read(ReadOnlySpan<byte> btf)
    {
        // The hook, the kernel and this process share a machine's byte order; a log read on another one is told so here.
        if (btf.Length < 24 || BinaryPrimitives.ReadUInt16LittleEndian(btf) != Magic)
            throw new FormatException($"{btf.Length} bytes are not little-endian BTF.");
        var header = U32(btf, 4);
        var types = btf.Slice(checked((int)(header + U32(btf, 8))), checked((int)U32(btf, 12)));
        var names = btf.Slice(checked((int)(header + U32(btf, 16))), checked((int)U32(btf, 20)));
        while (!types.IsEmpty)
            types = types[ReadType(types, names)..];
    }

    /// <returns>Bytes of the type's description.</returns>
    private int ReadType(ReadOnlySpan<byte> at, ReadOnlySpan<byte> names)
    {
        var name = NameAt(names, U32(at, 0));
        var info = U32(at, 4);
        var kind = (BtfKind)(info >> 24 & 0x1f);
        var count = (int)(info & 0xffff);
        var flag = info >> 31 == 1;
        var sizeOrType = U32(at, 8);
        var rest = at[12..];
        var type = Make(kind, name);
        switch (kind)
        {
            case BtfKind.Integer:
                var encoding = U32(rest, 0) >> 24;
                type = type with
                {
                    Size = checked((int)sizeOrType),
                    IsSigned = (encoding & 1) != 0,
                    Encoding = (encoding & 4) != 0 ? BtfInteger.Boolean : (encoding & 2) != 0 ? BtfInteger.Character : BtfInteger.Number,
                };
                break;
            case BtfKind.Array:
                type = type with { Of = U32(rest, 0), Count = checked((int)U32(rest, 8)) };
                break;
            case BtfKind.Struct or BtfKind.Union:
                type = type with { Size = checked((int)sizeOrType), Members = Members(rest, count, flag, names) };
                break;
            case BtfKind.DataSection:
                type = type with { Size = checked((int)sizeOrType), Members = Variables(rest, count) };
                break;
            case BtfKind.Enum or BtfKind.Enum64:
                type = type with { Size = checked((int)sizeOrType), IsSigned = flag, Values = Values(rest, count, kind, names) };
                break;
            case BtfKind.Float:
                type = type with { Size = checked((int)sizeOrType) };
                break;
            case > BtfKind.Enum64:
                throw new FormatException($"The BTF has a type of kind {(int)kind}, which this version of maplog does not know: upgrade maplog.");
            default:
                type = type with { Of = sizeOrType };
                break;
        }
        _types.Add(type);
        return 12 + RestSize(kind, count);
    }

    private static int RestSize(BtfKind kind, int count) => kind switch
    {
        BtfKind.Integer or BtfKind.Variable or BtfKind.DeclarationTag => 4,
        BtfKind.Array => 12,
        BtfKind.Struct or BtfKind.Union or BtfKind.DataSection or BtfKind.Enum64 => 12 * count,
        BtfKind.Enum or BtfKind.FunctionPrototype => 8 * count,
        _ => 0,
    };

    private static List<BtfMember> Members(ReadOnlySpan<byte> at, int count, bool hasBitSizes, ReadOnlySpan<byte> names)
    {
        var members = new List<BtfMember>(count);
        for (var i = 0; i < count; i++, at = at[12..])
        {
            var offset = U32(at, 8);
            members.Add(hasBitSizes
                ? new BtfMember(NameAt(names, U32(at, 0)), U32(at, 4), offset & 0xffffff, offset >> 24)
                : new BtfMember(NameAt(names, U32(at, 0)), U32(at, 4), offset, 0));
        }
        return members;
    }

    // The variable's name is its type's, which may come later: it is looked up when it is shown.
    private static List<BtfMember> Variables(ReadOnlySpan<byte> at, int count)
    {
        var members = new List<BtfMember>(count);
        for (var i = 0; i < count; i++, at = at[12..])
            members.Add(new BtfMember("", U32(at, 0), checked(U32(at, 4) * 8), 0));
        return members;
    }

    private static Dictionary<long, string> Values(ReadOnlySpan<byte> at, int count, BtfKind kind, ReadOnlySpan<byte> names)
    {
        var values = new Dictionary<long, string>(count);
        var size = kind == BtfKind.Enum64 ? 12 : 8;
        for (var i = 0; i < count; i++, at = at[size..])
        {
            var low = U32(at, 4);
            var value = kind == BtfKind.Enum64 ? (long)((ulong)U32(at, 8) << 32 | low) : low;
            values.TryAdd(value, NameAt(names, U32(at, 0)));
        }
        return values;
    }

    private static BtfType Make(BtfKind kind, string name) =>
        new(kind, name, 0, 0, 0, false, BtfInteger.Number, [], System.Collections.Frozen.FrozenDictionary<long, string>.Empty);

    private static string NameAt(ReadOnlySpan<byte> names, uint offset)
    {
        var name = names[checked((int)offset)..];
        var end = name.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? name : name[..end]);
    }

    private static uint U32(ReadOnlySpan<byte> at, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(at[offset..]);
}
