using System.Text.Json;

namespace Maplog.Cli.Output;

/// <summary>Bytes as text.</summary>
internal static class Hex
{
    private static readonly JsonEncodedText[] Bytes = [.. Enumerable.Range(0, 256).Select(b => JsonEncodedText.Encode($"0x{b:x2}"))];

    /// <summary>Lower case, without blanks: the same as <c>encode(key, 'hex')</c> in SQL.</summary>
    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    /// <summary>The array of strings that bpftool writes.</summary>
    public static void WriteArray(Utf8JsonWriter json, ReadOnlySpan<byte> bytes)
    {
        json.WriteStartArray();
        foreach (var b in bytes)
            json.WriteStringValue(Bytes[b]);
        json.WriteEndArray();
    }
}
