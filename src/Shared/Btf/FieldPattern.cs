using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using Maplog.Events;

namespace Maplog.Btf;

/// <summary>
/// A key as a person writes it: hex (<c>0a000001</c>), a number (<c>7</c>, <c>key=7</c>), or fields
/// (<c>saddr=10.0.0.1,dport=443</c>); fields that are not named may be anything.
/// </summary>
public sealed class FieldPattern
{
    private readonly byte[] _mask;

    private FieldPattern(byte[] bytes, byte[] mask) => (Bytes, _mask) = (bytes, mask);

    /// <summary>The bytes asked for; zero where they may be anything.</summary>
    public byte[] Bytes { get; }

    /// <summary>Whether every bit is asked for, so that one key at most can match.</summary>
    public bool IsWhole => !_mask.AsSpan().ContainsAnyExcept((byte)0xff);

    public bool Matches(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Bytes.Length)
            return false;
        for (var i = 0; i < bytes.Length; i++)
            if ((bytes[i] & _mask[i]) != Bytes[i])
                return false;
        return true;
    }

    /// <summary>One key, all of its bytes.</summary>
    public static FieldPattern OfKey(byte[] key)
    {
        var pattern = new FieldPattern(new byte[key.Length], new byte[key.Length]);
        pattern.Set(0, key);
        return pattern;
    }

    /// <param name="text">What was written.</param>
    /// <param name="size">Bytes of a key.</param>
    /// <param name="type">What a key means; null: unknown.</param>
    /// <exception cref="FormatException">It is no such key; the message is a sentence.</exception>
    public static FieldPattern Parse(string text, int size, FieldType? type)
    {
        var pattern = new FieldPattern(new byte[size], new byte[size]);
        if (text.Contains('=', StringComparison.Ordinal))
        {
            foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                pattern.SetField(part, type, size);
            return pattern;
        }
        pattern.Set(0, HexOf(text, size) ?? Scalar(text, size, type));
        return pattern;
    }

    // A key in hex that lost a digit must not be read as another key in decimal: digits are a number only where that is beyond doubt.
    private static byte[] Scalar(string text, int size, FieldType? type)
    {
        if (type?.Kind is FieldKind.Text or FieldKind.Mac or FieldKind.Ipv4 or FieldKind.Ipv4Host or FieldKind.Ipv6 or FieldKind.Boolean)
            return Encode(type, text);
        var isNumber = type is null ? size is 1 or 2 or 4 or 8 : type.Kind is not (FieldKind.Struct or FieldKind.Array or FieldKind.Bytes);
        var other = type?.Kind == FieldKind.Struct ? $", or fields as in {Example(type)}" : isNumber ? ", or a number in decimal as key=7" : "";
        var advice = $"write {size * 2} digits in hex{other}.";
        var isDigits = text.Length > 0 && text.All(char.IsAsciiDigit);
        if (!isNumber || text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) || type is null && !isDigits)
            throw new FormatException($"'{text}' is not a key of {size} bytes: {advice}");
        var looksLikeHex = text.Length > 1 && text[0] == '0' || type is null && size >= 4 && Math.Abs(text.Length - size * 2) <= 2;
        if (isDigits && looksLikeHex)
            throw new FormatException($"'{text}' is either a number or hex of a wrong length, {text.Length} digits instead of {size * 2}: {advice}");
        return Encode(type ?? new FieldType(FieldKind.Number, size), text);
    }

    private static string Example(FieldType type) => string.Join(',', type.Fields!.Take(2).Select(f => $"{f.Name}={(f.Kind is FieldKind.Ipv4 or FieldKind.Ipv4Host ? "10.0.0.1" : f.Kind == FieldKind.Port ? "443" : "1")}"));

    private static byte[]? HexOf(string text, int size)
    {
        var digits = text.Replace("0x", "", StringComparison.OrdinalIgnoreCase).Replace(" ", "", StringComparison.Ordinal).Replace(":", "", StringComparison.Ordinal);
        return digits.Length == size * 2 && digits.All(char.IsAsciiHexDigit) ? Convert.FromHexString(digits) : null;
    }

    private void SetField(string part, FieldType? type, int size)
    {
        var (name, value) = part.Split('=', 2) is [var n, var v] ? (n, v) : throw new FormatException($"'{part}' is not a field: write NAME=VALUE.");
        if (name == "key" && type?.Kind != FieldKind.Struct && (type is not null || size is 1 or 2 or 4 or 8))
        {
            Set(0, Encode(type ?? new FieldType(FieldKind.Number, size), value));
            return;
        }
        if (type is null)
            throw new FormatException($"'{part}' names a field, but the fields of this map's keys are unknown: write the key in hex, {size * 2} digits, or describe it with 'maplog describe'.");
        var at = 0;
        var field = type;
        foreach (var step in name.Replace("]", "", StringComparison.Ordinal).Split('.', '['))
        {
            if (field.Kind == FieldKind.Array && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < field.Count)
            {
                at += index * field.Of!.Size;
                field = field.Of!;
                continue;
            }
            var fields = field.Fields ?? [];
            field = fields.FirstOrDefault(f => f.Name == step)
                ?? throw new FormatException($"The key has no field '{name}': it has {string.Join(", ", (type.Fields ?? []).Select(f => f.Name))}.");
            at += field.At;
        }
        if (field.Kind == FieldKind.Bits)
            SetBits(at, field, value);
        else
            Set(at, Encode(field, value));
    }

    private void Set(int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Bytes.AsSpan(at));
        _mask.AsSpan(at, bytes.Length).Fill(0xff);
    }

    private void SetBits(int at, FieldType field, string text)
    {
        var number = Number(field, text);
        for (var bit = 0; bit < field.Bits; bit++)
        {
            var place = at * 8 + field.Bit + bit;
            _mask[place / 8] |= (byte)(1 << place % 8);
            if ((number >> bit & 1) != 0)
                Bytes[place / 8] |= (byte)(1 << place % 8);
        }
    }

    private static byte[] Encode(FieldType field, string text)
    {
        switch (field.Kind)
        {
            case FieldKind.Ipv4Host when text.Count(c => c == '.') == 3:
                var reversed = Encode(field with { Kind = FieldKind.Ipv4 }, text);
                Array.Reverse(reversed);
                return reversed;
            // Without the check '10.0.1' would be 10.0.0.1.
            case FieldKind.Ipv4 or FieldKind.Ipv6 when (text.Contains(':', StringComparison.Ordinal) || text.Count(c => c == '.') == 3) && IPAddress.TryParse(text, out var address):
                var bytes = field.Size == 16 && address.GetAddressBytes().Length == 4 ? address.MapToIPv6().GetAddressBytes() : address.GetAddressBytes();
                return bytes.Length == field.Size ? bytes : throw Wrong(field, text);
            case FieldKind.Mac or FieldKind.Bytes or FieldKind.Array or FieldKind.Struct or FieldKind.Ipv4 or FieldKind.Ipv4Host or FieldKind.Ipv6:
                return HexOf(text.Replace("-", "", StringComparison.Ordinal), field.Size) ?? throw Wrong(field, text);
            case FieldKind.Text:
                var characters = Encoding.UTF8.GetBytes(text);
                if (characters.Length > field.Size)
                    throw Wrong(field, text);
                Array.Resize(ref characters, field.Size);
                return characters;
            case FieldKind.BigEndian or FieldKind.Port:
                var big = LittleEndian(Number(field, text), field.Size);
                Array.Reverse(big);
                return big;
            case FieldKind.Enumeration when field.Names!.FirstOrDefault(n => n.Value == text) is { Key: { } value }:
                return LittleEndian(ulong.Parse(value, CultureInfo.InvariantCulture), field.Size);
            case FieldKind.Boolean when text is "true" or "false":
                return [(byte)(text == "true" ? 1 : 0)];
            default:
                return LittleEndian(Number(field, text), field.Size);
        }
    }

    private static ulong Number(FieldType field, string text)
    {
        var bits = field.Kind == FieldKind.Bits ? field.Bits : field.Size * 8;
        if (text.StartsWith('-') && field.Kind == FieldKind.SignedNumber && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var negative) && (bits >= 64 || negative >= -(1L << bits - 1)))
            return (ulong)negative;
        var isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (!ulong.TryParse(isHex ? text[2..] : text, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var number) || bits < 64 && number >= 1UL << bits)
            throw Wrong(field, text);
        return number;
    }

    private static byte[] LittleEndian(ulong number, int size)
    {
        Span<byte> wide = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(wide, number);
        return wide[..size].ToArray();
    }

    private static FormatException Wrong(FieldType field, string text) => new(
        $"'{text}' is not a value of {(field.Name is { } name ? $"field '{name}'" : "the key")}: it is "
        + field.Kind switch
        {
            FieldKind.Ipv4 or FieldKind.Ipv4Host => "an IPv4 address, as 10.0.0.1.",
            FieldKind.Ipv6 => "an IPv6 address, as 2001:db8::1.",
            FieldKind.Mac => "a link address, as 02:00:00:00:00:01.",
            FieldKind.Text => $"a text of at most {field.Size} characters.",
            FieldKind.Enumeration => $"one of {string.Join(", ", field.Names!.Values)}.",
            FieldKind.Boolean => "true or false.",
            FieldKind.Bytes or FieldKind.Array or FieldKind.Struct => $"{field.Size} bytes, written as {field.Size * 2} digits in hex.",
            FieldKind.Bits => $"a number of {field.Bits} bits.",
            _ => $"a number of {field.Size} bytes.",
        });
}
