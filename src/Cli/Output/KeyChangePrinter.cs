using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Maplog.Cli.Describing;
using Maplog.Cli.TimeTravel;
using Maplog.Configuration;
using Maplog.Events;

namespace Maplog.Cli.Output;

/// <summary>Changes with their previous values, one line each; as JSON with the names of <c>audit.changes</c>.</summary>
/// <param name="asJson">One object per line.</param>
/// <param name="descriptions">The meaning of the maps' bytes; null: show hex.</param>
internal sealed class KeyChangePrinter(bool asJson, Descriptions? descriptions)
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private MapOpened? _map;
    private FieldFormat? _format;

    public string Line(KeyChange change)
    {
        if (!ReferenceEquals(_map, change.Map))
            (_map, _format) = (change.Map, new FieldFormat(change.Map!, descriptions));
        return asJson ? Json(change) : Text(change);
    }

    private string Text(KeyChange change)
    {
        var header = change.Header;
        var line = new StringBuilder()
            .Append($"{Times.Of(change.Time)}  {change.Version,8}  {EventWords.Of(change.Kind),-7}  ")
            .Append($"{EventWords.Of(header.Origin)} {SafeText.Of(change.Comm)}[{header.Tgid}] cpu{header.Cpu}  {_format!.Key(change.Key)}");
        if (change.Old is { } old)
            line.Append($"  {_format.Value(old)}");
        if (change.Value is { } value)
            line.Append($" -> {_format.Value(value)}");
        if (change.OldLived is { } lived)
            line.Append($"  (lived {Span(lived)})");
        return line.ToString();
    }

    private string Json(KeyChange change)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text, Compact))
        {
            var header = change.Header;
            json.WriteStartObject();
            json.WriteNumber("version", change.Version.Value);
            json.WriteString("at", Times.Of(change.Time));
            json.WriteString("kind", EventWords.Of(change.Kind));
            _format!.WriteKey(json, change.Key);
            WriteValue(json, "old_value", change.Old);
            WriteValue(json, "value", change.Value);
            if (change.OldLived is { } lived)
                json.WriteNumber("old_lived_seconds", lived.TotalSeconds);
            json.WriteString("origin", EventWords.Of(header.Origin));
            json.WriteString("comm", change.Comm);
            json.WriteNumber("tgid", header.Tgid);
            json.WriteNumber("cpu", header.Cpu);
            json.WriteString("node", change.Map!.Node);
            json.WriteNumber("epoch", header.Epoch.Value);
            json.WriteString("key_bytes", Hex.Of(change.Key));
            if (change.Value is { } value)
                json.WriteString("value_bytes", Hex.Of(value));
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private void WriteValue(Utf8JsonWriter json, string name, byte[]? value)
    {
        json.WritePropertyName(name);
        if (value is null)
            json.WriteNullValue();
        else
            _format!.WriteValue(json, value);
    }

    private static string Span(TimeSpan span) => span.TotalSeconds < 1 ? $"{span.TotalMilliseconds:0.###} ms" : span.TotalMinutes < 2 ? $"{span.TotalSeconds:0.###} s" : span.TotalHours < 48 ? $"{span:h\\:mm\\:ss}" : $"{span.TotalDays:0.#} days";
}
