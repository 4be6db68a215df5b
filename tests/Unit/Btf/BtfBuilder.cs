using System.Buffers.Binary;
using System.Text;
using Maplog.Btf;

namespace Maplog.Tests.Unit.Btf;

/// <summary>Writes raw BTF, type by type; the first has id 1.</summary>
internal sealed class BtfBuilder
{
    private readonly List<byte> _types = [];
    private readonly List<byte> _names = [0];
    private uint _last;

    public uint Integer(string name, int size, uint encoding = 0) => Add(name, BtfKind.Integer, 0, (uint)size, false, encoding << 24 | (uint)size * 8);

    public uint Alias(BtfKind kind, uint of, string name = "") => Add(name, kind, 0, of, false);

    public uint Pointer(uint of) => Add("", BtfKind.Pointer, 0, of, false);

    public uint Array(uint of, int count) => Add("", BtfKind.Array, 0, 0, false, of, of, (uint)count);

    public uint Enum(string name, int size, params (string Name, int Value)[] values) =>
        Add(name, BtfKind.Enum, values.Length, (uint)size, false, [.. values.SelectMany(v => new[] { Name(v.Name), (uint)v.Value })]);

    public uint Struct(string name, int size, params (string Name, uint Type, uint BitOffset)[] members) =>
        Add(name, BtfKind.Struct, members.Length, (uint)size, false, [.. members.SelectMany(m => new[] { Name(m.Name), m.Type, m.BitOffset })]);

    public uint Union(int size, params (string Name, uint Type)[] members) =>
        Add("", BtfKind.Union, members.Length, (uint)size, false, [.. members.SelectMany(m => new[] { Name(m.Name), m.Type, 0u })]);

    public uint BitFields(string name, int size, params (string Name, uint Type, uint BitOffset, uint BitSize)[] members) =>
        Add(name, BtfKind.Struct, members.Length, (uint)size, true, [.. members.SelectMany(m => new[] { Name(m.Name), m.Type, m.BitSize << 24 | m.BitOffset })]);

    public uint Variable(string name, uint type) => Add(name, BtfKind.Variable, 0, type, false, 1);

    public uint Section(string name, int size, uint variable) => Add(name, BtfKind.DataSection, 1, (uint)size, false, variable, 0, (uint)size);

    public uint Section(string name, int size, params (uint Variable, uint At, uint Size)[] variables) =>
        Add(name, BtfKind.DataSection, variables.Length, (uint)size, false, [.. variables.SelectMany(v => new[] { v.Variable, v.At, v.Size })]);

    public byte[] Build()
    {
        var header = new byte[24];
        BinaryPrimitives.WriteUInt16LittleEndian(header, 0xeb9f);
        header[2] = 1;
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), header.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), _types.Count);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(16), _types.Count);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(20), _names.Count);
        return [.. header, .. _types, .. _names];
    }

    private uint Add(string name, BtfKind kind, int count, uint sizeOrType, bool flag, params uint[] rest)
    {
        foreach (var word in (uint[])[Name(name), (flag ? 1u << 31 : 0) | (uint)kind << 24 | (uint)count, sizeOrType, .. rest])
            _types.AddRange(BitConverter.GetBytes(word));
        return ++_last;
    }

    private uint Name(string name)
    {
        if (name.Length == 0)
            return 0;
        var at = (uint)_names.Count;
        _names.AddRange(Encoding.UTF8.GetBytes(name));
        _names.Add(0);
        return at;
    }
}
