using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Maplog.Btf;

/// <summary>
/// Bytes of a map as JSON by their type, as bpftool formats them: structs as objects, numbers and pointers as numbers, enums
/// by name, text in char arrays as strings, integers beyond 64 bits in hex. Unlike bpftool, bit fields are numbers too, and
/// members of an anonymous struct are their outer one's.
/// </summary>
public sealed class BtfJson(BtfTypes types)
{
    /// <summary>Deeper than any struct that a C compiler takes, so that a damaged BTF ends.</summary>
    private const int Deepest = 64;

    /// <param name="json">Where to.</param>
    /// <param name="type">Id of the type.</param>
    /// <param name="bytes">A value of it, in this machine's byte order.</param>
    /// <exception cref="FormatException">The bytes are too few, or the BTF is damaged.</exception>
    public void Write(Utf8JsonWriter json, uint type, ReadOnlySpan<byte> bytes)
    {
        try
        {
            Write(json, type, bytes, 0);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new FormatException($"{bytes.Length} bytes are too few for type {type} of the BTF.", e);
        }
    }

    private void Write(Utf8JsonWriter json, uint id, ReadOnlySpan<byte> bytes, int depth)
    {
        if (depth > Deepest)
            throw new FormatException($"Type {id} of the BTF contains itself.");
        var type = types.Resolve(id);
        switch (type.Kind)
        {
            case BtfKind.Integer:
                WriteInteger(json, type, bytes[..type.Size]);
                break;
            case BtfKind.Enum or BtfKind.Enum64:
                WriteEnum(json, type, Number(bytes[..type.Size], type.IsSigned));
                break;
            case BtfKind.Pointer:
                json.WriteNumberValue(BinaryPrimitives.ReadUInt64LittleEndian(bytes));
                break;
            case BtfKind.Float:
                WriteFloat(json, bytes[..type.Size]);
                break;
            case BtfKind.Array:
                WriteArray(json, type, bytes, depth);
                break;
            case BtfKind.Struct or BtfKind.Union or BtfKind.DataSection:
                json.WriteStartObject();
                WriteMembers(json, type, bytes, depth);
                json.WriteEndObject();
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    private void WriteMembers(Utf8JsonWriter json, BtfType type, ReadOnlySpan<byte> bytes, int depth)
    {
        foreach (var member in type.Members)
        {
            var name = type.Kind == BtfKind.DataSection ? types[member.Type].Name : member.Name;
            var inner = types.Resolve(member.Type);
            var at = bytes[(int)(member.BitOffset / 8)..];
            if (name.Length == 0 && inner.Kind is BtfKind.Struct or BtfKind.Union && depth < Deepest)
            {
                // In C the members of an anonymous struct are the outer one's.
                WriteMembers(json, inner, at, depth + 1);
                continue;
            }
            json.WritePropertyName(name);
            if (member.BitSize > 0 || member.BitOffset % 8 != 0)
                WriteBits(json, inner, bytes, member);
            else
                Write(json, member.Type, at, depth + 1);
        }
    }

    private void WriteArray(Utf8JsonWriter json, BtfType array, ReadOnlySpan<byte> bytes, int depth)
    {
        var element = types.Resolve(array.Of);
        var size = types.SizeOf(array.Of);
        if (IsText(element, bytes[..checked(array.Count * size)], out var text))
        {
            json.WriteStringValue(text);
            return;
        }
        json.WriteStartArray();
        for (var i = 0; i < array.Count; i++)
            Write(json, array.Of, bytes[(i * size)..], depth + 1);
        json.WriteEndArray();
    }

    // Clang gives char no encoding of its own: its name tells it from other integers of one byte.
    private static bool IsText(BtfType element, ReadOnlySpan<byte> bytes, out string text)
    {
        text = "";
        if (element.Kind != BtfKind.Integer || element.Size != 1 || element.Name != "char" && element.Encoding != BtfInteger.Character)
            return false;
        var end = bytes.IndexOf((byte)0);
        if (end < 0 || bytes[end..].ContainsAnyExcept((byte)0))
            return false;
        foreach (var b in bytes[..end])
            if (b is < 0x20 or > 0x7e)
                return false;
        text = Encoding.ASCII.GetString(bytes[..end]);
        return true;
    }

    private static void WriteInteger(Utf8JsonWriter json, BtfType type, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 8)
            json.WriteStringValue($"0x{Convert.ToHexStringLower(Reversed(bytes)).TrimStart('0').PadLeft(1, '0')}");
        else if (type.Encoding == BtfInteger.Boolean)
            json.WriteBooleanValue(bytes.ContainsAnyExcept((byte)0));
        else if (type.IsSigned)
            json.WriteNumberValue(Number(bytes, true));
        else
            json.WriteNumberValue((ulong)Number(bytes, false));
    }

    private static void WriteEnum(Utf8JsonWriter json, BtfType type, long value)
    {
        if (type.Values.TryGetValue(type.Kind == BtfKind.Enum ? (uint)value : value, out var name))
            json.WriteStringValue(name);
        else
            json.WriteNumberValue(value);
    }

    private static void WriteFloat(Utf8JsonWriter json, ReadOnlySpan<byte> bytes)
    {
        var value = bytes.Length switch
        {
            4 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
            8 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            _ => double.NaN,
        };
        if (double.IsFinite(value))
            json.WriteNumberValue(value);
        else
            json.WriteStringValue(bytes.Length is 4 or 8 ? value.ToString(CultureInfo.InvariantCulture) : $"0x{Convert.ToHexStringLower(Reversed(bytes))}");
    }

    private static void WriteBits(Utf8JsonWriter json, BtfType type, ReadOnlySpan<byte> bytes, BtfMember member)
    {
        var size = member.BitSize > 0 ? (int)member.BitSize : type.Size * 8;
        if (size > 64)
            throw new FormatException($"The bit field {member.Name} of the BTF has {size} bits.");
        ulong value = 0;
        for (var bit = 0; bit < size; bit++)
        {
            var at = (int)member.BitOffset + bit;
            if ((bytes[..(at / 8 + 1)][^1] >> (at % 8) & 1) != 0)
                value |= 1UL << bit;
        }
        if (type.IsSigned && size < 64 && (value >> (size - 1) & 1) != 0)
            value |= ulong.MaxValue << size;
        if (type.Kind is BtfKind.Enum or BtfKind.Enum64)
            WriteEnum(json, type, (long)value);
        else if (type.Encoding == BtfInteger.Boolean)
            json.WriteBooleanValue(value != 0);
        else if (type.IsSigned)
            json.WriteNumberValue((long)value);
        else
            json.WriteNumberValue(value);
    }

    private static long Number(ReadOnlySpan<byte> bytes, bool isSigned)
    {
        Span<byte> wide = stackalloc byte[8];
        wide.Fill(isSigned && bytes.Length is > 0 and < 8 && bytes[^1] >= 0x80 ? (byte)0xff : (byte)0);
        bytes.CopyTo(wide);
        return BinaryPrimitives.ReadInt64LittleEndian(wide);
    }

    private static byte[] Reversed(ReadOnlySpan<byte> bytes)
    {
        var reversed = bytes.ToArray();
        Array.Reverse(reversed);
        return reversed;
    }
}
