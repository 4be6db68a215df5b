using System.Globalization;
using System.Text.RegularExpressions;
using Maplog.Events;

namespace Maplog.Cli.Describing;

/// <summary>
/// An operator's statement about one field: <c>key.peer=ipv4</c>. With a place (<c>value.peer@8=ipv4</c>, <c>value.name@12:16=text</c>) the
/// hint defines the field, in a map of which nothing else is known.
/// </summary>
/// <param name="Text">The hint as it was written.</param>
/// <param name="Side">key or value.</param>
/// <param name="Path">The path from there, without the first point; empty: the whole.</param>
/// <param name="At">The first byte, if the hint defines the field.</param>
/// <param name="Size">Bytes, if the hint contains them.</param>
/// <param name="Kind">The kind of the field.</param>
internal sealed partial record FieldHint(string Text, string Side, string Path, int? At, int? Size, FieldKind Kind)
{
    private static readonly Dictionary<string, FieldKind> Known = new()
    {
        ["number"] = FieldKind.Number, ["signed"] = FieldKind.SignedNumber, ["network"] = FieldKind.BigEndian, ["port"] = FieldKind.Port,
        ["ipv4"] = FieldKind.Ipv4, ["ipv4-host"] = FieldKind.Ipv4Host, ["ipv6"] = FieldKind.Ipv6, ["mac"] = FieldKind.Mac,
        ["text"] = FieldKind.Text, ["hex"] = FieldKind.Bytes,
    };

    public const string Form = "key.FIELD=KIND or value.FIELD=KIND, or key.NAME@BYTE:SIZE=KIND if the map has no BTF";

    public static IEnumerable<string> Kinds => Known.Keys;

    /// <summary>The name of a kind in a hint.</summary>
    public static string WordOf(FieldKind kind) => Known.FirstOrDefault(k => k.Value == kind).Key ?? kind switch
    {
        FieldKind.Boolean => "boolean",
        FieldKind.Enumeration => "enumeration",
        FieldKind.Bits => "bits",
        FieldKind.Array => "array",
        _ => "struct",
    };

    /// <exception cref="UsageException">The text is not a hint.</exception>
    public static FieldHint Parse(string hint)
    {
        if (Pattern().Match(hint) is not { Success: true } match || !Known.TryGetValue(match.Groups["kind"].Value, out var kind))
            throw new UsageException($"--hint: '{hint}' is not a hint: write {Form}, with KIND one of {string.Join(", ", Known.Keys)}.");
        return new FieldHint(hint, match.Groups["side"].Value, match.Groups["path"].Value, Number("at"), Number("size"), kind);

        int? Number(string group) => match.Groups[group] is { Success: true } found ? int.Parse(found.Value, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Why a field of this many bytes cannot have the kind; null: it can.</summary>
    public string? Refuses(int size) => Kind switch
    {
        FieldKind.Ipv4 or FieldKind.Ipv4Host when size != 4 => "4 bytes",
        FieldKind.Ipv6 when size != 16 => "16 bytes",
        FieldKind.Mac when size != 6 => "6 bytes",
        FieldKind.Port when size != 2 => "2 bytes",
        FieldKind.Number or FieldKind.SignedNumber or FieldKind.BigEndian when size is not (1 or 2 or 4 or 8) => "1, 2, 4 or 8 bytes",
        _ => null,
    };

    /// <summary>The size of a field that the hint defines; null: the hint must contain the size.</summary>
    public int? MadeSize => Size ?? Kind switch
    {
        FieldKind.Ipv4 or FieldKind.Ipv4Host => 4,
        FieldKind.Ipv6 => 16,
        FieldKind.Mac => 6,
        FieldKind.Port => 2,
        _ => null,
    };

    [GeneratedRegex(@"^(?<side>key|value)(?:\.(?<path>[^=@]+))?(?:@(?<at>[0-9]{1,9})(?::(?<size>[0-9]{1,9}))?)?=(?<kind>[a-z0-9-]+)$")]
    private static partial Regex Pattern();
}
