using Maplog.Events;

namespace Maplog.Cli.TimeTravel;

/// <summary>What somebody says of fields: <c>key.peer=ipv4</c>.</summary>
internal static class FieldHints
{
    private static readonly Dictionary<string, FieldKind> Known = new()
    {
        ["number"] = FieldKind.Number, ["signed"] = FieldKind.SignedNumber, ["network"] = FieldKind.BigEndian, ["port"] = FieldKind.Port,
        ["ipv4"] = FieldKind.Ipv4, ["ipv6"] = FieldKind.Ipv6, ["mac"] = FieldKind.Mac, ["text"] = FieldKind.Text, ["hex"] = FieldKind.Bytes,
    };

    public static IEnumerable<string> Kinds => Known.Keys;

    public static IReadOnlyDictionary<string, FieldKind> Parse(IEnumerable<string> hints)
    {
        var parsed = new Dictionary<string, FieldKind>();
        foreach (var hint in hints)
        {
            if (hint.Split('=', 2) is not [var path, var word] || !Known.TryGetValue(word, out var kind) || !path.StartsWith("key", StringComparison.Ordinal) && !path.StartsWith("value", StringComparison.Ordinal))
                throw new UsageException($"--hint: '{hint}' is no hint: write key.FIELD=KIND or value.FIELD=KIND, KIND one of {string.Join(", ", Known.Keys)}.");
            parsed[path] = kind;
        }
        return parsed;
    }
}
