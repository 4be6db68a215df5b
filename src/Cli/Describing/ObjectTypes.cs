using Maplog.Btf;
using Maplog.Events;
using Maplog.Kernel;

namespace Maplog.Cli.Describing;

/// <summary>The types of a map's key and value in an object file: named by the operator, or by the map's definition in the file.</summary>
internal sealed class ObjectTypes
{
    private readonly string _path;
    private readonly BtfTypes _types;

    /// <exception cref="KernelException">The file has no BTF.</exception>
    public ObjectTypes(string path)
    {
        _path = path;
        _types = BtfTypes.Parse(ObjectBtf.Read(path));
    }

    /// <summary>The description of the named sides; without names, of the sides that the object's map of this name describes.</summary>
    /// <param name="map">The map as the log has it.</param>
    /// <param name="keyName">The key's type; null: not named.</param>
    /// <param name="valueName">The value's type; null: not named.</param>
    /// <exception cref="UsageException">There is no such type, or no type of the right size.</exception>
    public MapFields Read(MapOpened map, string? keyName, string? valueName)
    {
        if (keyName is not null || valueName is not null)
            return new MapFields(Named("key", keyName, map.Shape.KeySize), Named("value", valueName, map.Shape.ValueSize));
        if (_types.FindMap(map.Name) is not { } types || types is { Key: 0, Value: 0 })
            throw new UsageException($"{_path} has no map '{map.Name}' with its own types: name the types with --key TYPE and --value TYPE.");
        return new MapFields(Sized("key", types.Key, map.Shape.KeySize), Sized("value", types.Value, map.Shape.ValueSize));
    }

    private FieldType? Named(string side, string? name, int size)
    {
        if (name is null)
            return null;
        var ids = _types.Find(name);
        if (ids.Count == 0)
        {
            var near = Near.Names(name, Enumerable.Range(1, _types.Count - 1).Select(id => _types[(uint)id].Name).Where(n => n.Length > 0).Distinct());
            throw new UsageException($"--{side}: {_path} has no type '{name}'{(near.Count > 0 ? $". Did you mean {string.Join(" or ", near)}?" : ".")}");
        }
        var fitting = ids.FirstOrDefault(id => _types.SizeOf(id) == size);
        return fitting != 0
            ? Fields(side, fitting)
            : throw new UsageException($"--{side}: '{name}' in {_path} has {string.Join(" or ", ids.Select(_types.SizeOf).Distinct())} bytes, but a {side} of this map has {size}.");
    }

    private FieldType? Sized(string side, uint type, int size)
    {
        if (type == 0)
            return null;
        return _types.SizeOf(type) == size
            ? Fields(side, type)
            : throw new UsageException($"The {side} that {_path} defines has {_types.SizeOf(type)} bytes, but this map's {side} has {size}: the file belongs to another version of the program. Name a type with --{side}.");
    }

    private FieldType Fields(string side, uint type) =>
        FieldTypes.Of(_types, type) ?? throw new UsageException($"The {side}'s type in {_path} cannot be described: it has more than 2000 fields, or its structs are nested too deeply.");
}
