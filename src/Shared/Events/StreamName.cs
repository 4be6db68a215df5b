namespace Maplog.Events;

/// <summary>The name of a stream, <c>source/map</c>: the events of one map of one source (<c>lb-1/ct_map</c>).</summary>
public readonly record struct StreamName
{
    /// <summary>Source names become schema-level names in Postgres and RabbitMQ, so their alphabet is the one all three share.</summary>
    public const int MaxSourceLength = 48;

    public StreamName(string source, string map)
    {
        if (!IsSource(source))
            throw new FormatException($"'{source}' is not a source name: use 1 to {MaxSourceLength} of a-z, 0-9, '-' and '_', beginning with a letter or digit.");
        if (!IsMap(map))
            throw new FormatException($"'{map}' is not a map name: use 1 to 64 of A-Z, a-z, 0-9, '_', '.' and '-'.");
        Source = source;
        Map = map;
    }

    public string Source { get; }

    public string Map { get; }

    public static StreamName Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            throw new FormatException($"'{text}' is not a stream: write it as SOURCE/MAP, for example lb-1/ct_map.");
        return new StreamName(text[..slash], text[(slash + 1)..]);
    }

    public static bool IsSource(string text) =>
        text.Length is > 0 and <= MaxSourceLength && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_');

    public static bool IsMap(string text) =>
        text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    public override string ToString() => $"{Source}/{Map}";
}
