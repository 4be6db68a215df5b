using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Json;
using Maplog.Events;

namespace Maplog.Btf;

/// <summary>
/// Bytes as JSON by their description, addresses and ports as people write them: what the SQL function audit.decode gives.
/// (<see cref="BtfJson"/> gives what bpftool prints.)
/// </summary>
public static class FieldJson
{
    /// <param name="json">Where to.</param>
    /// <param name="type">What the bytes mean.</param>
    /// <param name="bytes">At least as many as the type has.</param>
    public static void Write(Utf8JsonWriter json, FieldType type, ReadOnlySpan<byte> bytes)
    {
        var own = bytes[..type.Size];
        switch (type.Kind)
        {
            case FieldKind.Struct:
                json.WriteStartObject();
                foreach (var field in type.Fields!)
                {
                    json.WritePropertyName(field.Name!);
                    Write(json, field, field.Kind == FieldKind.Bits ? bytes[field.At..] : bytes.Slice(field.At, field.Size));
                }
                json.WriteEndObject();
                break;
            case FieldKind.Array:
                json.WriteStartArray();
                for (var i = 0; i < type.Count; i++)
                    Write(json, type.Of!, bytes[(i * type.Of!.Size)..]);
                json.WriteEndArray();
                break;
            case FieldKind.Boolean:
                json.WriteBooleanValue(own.ContainsAnyExcept((byte)0));
                break;
            case FieldKind.Number or FieldKind.BigEndian or FieldKind.Port:
                json.WriteNumberValue(Unsigned(type, bytes));
                break;
            case FieldKind.Bits:
                json.WriteNumberValue(BitsOf(type, bytes));
                break;
            case FieldKind.SignedNumber:
                json.WriteNumberValue(Signed(own));
                break;
            case FieldKind.Enumeration when !type.Names!.ContainsKey($"{Unsigned(type, bytes)}"):
                json.WriteNumberValue(Unsigned(type, bytes));
                break;
            default:
                json.WriteStringValue(Text(type, bytes));
                break;
        }
    }

    /// <summary>One value as text; of a struct or array its JSON.</summary>
    public static string Text(FieldType type, ReadOnlySpan<byte> bytes)
    {
        var own = bytes[..type.Size];
        return type.Kind switch
        {
            FieldKind.Boolean => own.ContainsAnyExcept((byte)0) ? "true" : "false",
            FieldKind.Number or FieldKind.BigEndian or FieldKind.Port => $"{Unsigned(type, bytes)}",
            FieldKind.Bits => $"{BitsOf(type, bytes)}",
            FieldKind.SignedNumber => $"{Signed(own)}",
            FieldKind.Enumeration => type.Names!.TryGetValue($"{Unsigned(type, bytes)}", out var name) ? name : $"{Unsigned(type, bytes)}",
            FieldKind.Ipv4 or FieldKind.Ipv6 when own.Length is 4 or 16 => new IPAddress(own).ToString(),
            FieldKind.Ipv4Host when own.Length == 4 => new IPAddress([own[3], own[2], own[1], own[0]]).ToString(),
            FieldKind.Mac => string.Join(':', own.ToArray().Select(b => $"{b:x2}")),
            FieldKind.Text => Characters(own),
            FieldKind.Struct or FieldKind.Array => Json(type, bytes),
            _ => Convert.ToHexStringLower(own),
        };
    }

    private static string Json(FieldType type, ReadOnlySpan<byte> bytes)
    {
        var text = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            Write(json, type, bytes);
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    // Text as long as it is text; anything else is bytes.
    private static string Characters(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        var text = end < 0 ? bytes : bytes[..end];
        return bytes[text.Length..].ContainsAnyExcept((byte)0) || text.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e) ? Convert.ToHexStringLower(bytes) : Encoding.ASCII.GetString(text);
    }

    private static ulong Unsigned(FieldType type, ReadOnlySpan<byte> bytes)
    {
        Span<byte> wide = stackalloc byte[8];
        if (type.Kind is FieldKind.BigEndian or FieldKind.Port)
        {
            bytes[..type.Size].CopyTo(wide[(8 - type.Size)..]);
            return BinaryPrimitives.ReadUInt64BigEndian(wide);
        }
        bytes[..type.Size].CopyTo(wide);
        return BinaryPrimitives.ReadUInt64LittleEndian(wide);
    }

    private static long Signed(ReadOnlySpan<byte> bytes)
    {
        Span<byte> wide = stackalloc byte[8];
        wide.Fill(bytes[^1] >= 0x80 ? (byte)0xff : (byte)0);
        bytes.CopyTo(wide);
        return BinaryPrimitives.ReadInt64LittleEndian(wide);
    }

    private static ulong BitsOf(FieldType type, ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var bit = 0; bit < Math.Min(type.Bits, 64); bit++)
            if ((bytes[(type.Bit + bit) / 8] >> ((type.Bit + bit) % 8) & 1) != 0)
                value |= 1UL << bit;
        return value;
    }
}
