using Maplog.Btf;
using Maplog.Events;
using Maplog.Folding;

namespace Maplog.Cli.Describing;

/// <summary>Keys as an operator writes them, for a described map.</summary>
internal static class KeyPattern
{
    /// <exception cref="FormatException">The text is not a key of this map; the message is a sentence.</exception>
    public static FieldPattern Parse(string text, MapShape shape, MapFields? fields)
    {
        if (LpmPrefix.Applies(shape, fields?.Key) && !text.Contains('=', StringComparison.Ordinal))
        {
            if (LpmPrefix.Parse(text, shape.KeySize) is { } network)
                return FieldPattern.OfKey(network);
            if (text.AsSpan().ContainsAny("./"))
                throw new FormatException($"'{text}' is not a key of this map: write {(shape.KeySize == 8 ? "a network as 10.0.0.0/8" : "a network as 2001:db8::/32")}, or {shape.KeySize * 2} digits in hex.");
        }
        var pattern = FieldPattern.Parse(text, shape.KeySize, fields?.Key);
        // When the log compares such keys, the bits beyond the prefix are cleared.
        if (LpmKey.Applies(shape) && pattern.IsWhole)
            LpmKey.Normalise(pattern.Bytes);
        return pattern;
    }

    /// <summary>The same for an option: the message contains its name.</summary>
    /// <exception cref="UsageException">The text is not a key of this map.</exception>
    public static FieldPattern Require(string name, string text, MapShape shape, MapFields? fields)
    {
        try
        {
            return Parse(text, shape, fields);
        }
        catch (FormatException e)
        {
            throw new UsageException($"{name}: {e.Message}");
        }
    }

    /// <summary>The same for an earlier generation of the map, which may have had other keys; null: the text can be none of them.</summary>
    public static FieldPattern? Try(string text, MapShape shape, MapFields? fields)
    {
        try
        {
            return Parse(text, shape, fields);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
