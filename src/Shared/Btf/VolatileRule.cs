using System.Globalization;
using System.Text.RegularExpressions;
using Maplog.Events;

namespace Maplog.Btf;

/// <summary>
/// One rule as an operator writes it, <c>ct_map:value.packets</c> or <c>ct_map:value[48:16]</c>: a field, or offset and bytes.
/// </summary>
/// <param name="Map">The map's half of the stream's name.</param>
/// <param name="Field">The field's path below the value, or null.</param>
/// <param name="At">Without a field: the offset in the value.</param>
/// <param name="Size">Without a field: bytes.</param>
public sealed partial record VolatileRule(string Map, string? Field, int At, int Size)
{
    private const string Forms = "write ct_map:value.packets, or ct_map:value[48:16] for 16 bytes at offset 48";

    /// <summary>What is wrong with a rule; null: nothing.</summary>
    public static string? Mistake(string text) => TryParse(text) is null ? $"'{text}' does not name bytes of a value: {Forms}." : null;

    /// <summary>Null: it is no rule.</summary>
    public static VolatileRule? TryParse(string text)
    {
        if (Pattern().Match(text) is not { Success: true } match)
            return null;
        var map = match.Groups["map"].Value;
        if (match.Groups["field"].Success)
            return new VolatileRule(map, match.Groups["field"].Value, 0, 0);
        return int.TryParse(match.Groups["at"].Value, CultureInfo.InvariantCulture, out var at)
            && int.TryParse(match.Groups["size"].Value, CultureInfo.InvariantCulture, out var size) && size > 0
            ? new VolatileRule(map, null, at, size) : null;
    }

    /// <summary>Where the bytes are in a value of this shape; null: there are none such.</summary>
    public (int At, int Size)? Find(MapShape shape, FieldType? value)
    {
        if (Field is null)
            return (long)At + Size <= shape.ValueSize ? (At, Size) : null;
        var (at, type) = (0, value);
        foreach (var name in Field.Split('.'))
        {
            type = type?.Fields?.FirstOrDefault(f => f.Name == name);
            at += type?.At ?? 0;
        }
        // Bits share their bytes with other fields.
        return type is null or { Kind: FieldKind.Bits } ? null : (at, type.Size);
    }

    public override string ToString() => $"{Map}:value{(Field is null ? $"[{At}:{Size}]" : $".{Field}")}";

    [GeneratedRegex(@"^(?<map>[^:]+):value(?:\.(?<field>[^\[\]:]+)|\[(?<at>[0-9]+):(?<size>[0-9]+)\])$")]
    private static partial Regex Pattern();
}
