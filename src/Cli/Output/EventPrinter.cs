using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Maplog.Events;

namespace Maplog.Cli.Output;

/// <summary>Events of one stream, a line each: as text, or as JSON with the words that the SQL views have.</summary>
internal sealed class EventPrinter(Terminal terminal, MapOpened? opened, bool asJson, bool hexOnly) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Utf8JsonWriter _json = new(Stream.Null, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    private MapShape? _shape = opened?.Shape;
    private EntryFormat? _format = opened is null ? null : new EntryFormat(opened, hexOnly);

    public void Print(in LoggedEvent logged)
    {
        if (logged.Kind == EventKind.MapOpened)
            Open((MapOpened)NoteCodec.Read(logged.Kind, logged.Data.Span));
        if (!asJson)
        {
            terminal.Out.WriteLine(logged.Kind.IsChange() ? Change(logged) : Note(logged));
            return;
        }
        _line.ResetWrittenCount();
        _json.Reset(_line);
        _json.WriteStartObject();
        _json.WriteNumber("version", logged.Version.Value);
        _json.WriteString("at", Times.Of(logged.Time));
        _json.WriteString("kind", Word(logged.Kind));
        if (logged.Kind.IsChange())
            WriteChange(logged);
        else
            WriteNote(logged);
        _json.WriteEndObject();
        _json.Flush();
        terminal.Out.WriteLine(Encoding.UTF8.GetString(_line.WrittenSpan));
    }

    public void Dispose() => _json.Dispose();

    private void Open(MapOpened map)
    {
        _shape = map.Shape;
        _format = new EntryFormat(map, hexOnly);
    }

    // A watch may begin in a generation of another shape, whose description came before.
    private EntryFormat? FormatOf(in ChangeView change, EventKind kind) =>
        _shape is { } shape && change.Key.Length == shape.KeySize && (!kind.HasValue() || change.Value.Length == shape.ValueBytes) ? _format : null;

    private string Change(in LoggedEvent logged)
    {
        var change = ChangePayload.Read(logged.Data.Span);
        var header = change.Header;
        var format = FormatOf(change, logged.Kind);
        var line = Begin(logged).Append($"  {Word(header.Origin)} {change.Comm}[{header.Tgid}] cpu{header.Cpu}  ").Append(format?.Key(change.Key) ?? Hex.Of(change.Key));
        if (logged.Kind.HasValue())
            line.Append(" -> ").Append(format?.Value(change.Value) ?? Hex.Of(change.Value));
        return line.ToString();
    }

    private string Note(in LoggedEvent logged) => Begin(logged).Append("  ").Append(Encoding.UTF8.GetString(logged.Data.Span)).ToString();

    private StringBuilder Begin(in LoggedEvent logged)
    {
        var word = Word(logged.Kind).PadRight(7);
        return new StringBuilder().Append($"{Times.Of(logged.Time)}  {logged.Version,8}  ").Append(terminal.IsForPeople ? $"{Colour(logged.Kind)}{word}\e[0m" : word);
    }

    private void WriteChange(in LoggedEvent logged)
    {
        var change = ChangePayload.Read(logged.Data.Span);
        var header = change.Header;
        _json.WriteString("key", Hex.Of(change.Key));
        if (logged.Kind.HasValue())
            _json.WriteString("value", Hex.Of(change.Value));
        FormatOf(change, logged.Kind)?.WriteFormatted(_json, change.Key, change.Value, logged.Kind.HasValue());
        _json.WriteString("origin", Word(header.Origin));
        _json.WriteString("comm", change.Comm);
        _json.WriteNumber("tgid", header.Tgid);
        _json.WriteNumber("cpu", header.Cpu);
        _json.WriteNumber("epoch", header.Epoch.Value);
        _json.WriteNumber("kernel_time", header.KernelTime);
        _json.WriteNumber("ring_position", header.RingPosition);
        _json.WriteNumber("record_index", header.RecordIndex);
    }

    private void WriteNote(in LoggedEvent logged)
    {
        _json.WritePropertyName("note");
        _json.WriteRawValue(logged.Data.Span);
    }

    private static string Word(EventKind kind) => kind switch
    {
        EventKind.EntryAdded => "added",
        EventKind.EntryUpdated => "updated",
        EventKind.EntryDeleted => "deleted",
        EventKind.EntryEvicted => "evicted",
        _ => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()),
    };

    private static string Word(Origin origin) => origin == Origin.ReadBack ? "read-back" : JsonNamingPolicy.SnakeCaseLower.ConvertName(origin.ToString());

    private static string Colour(EventKind kind) => kind switch
    {
        EventKind.EntryAdded => "\e[32m",
        EventKind.EntryUpdated => "\e[33m",
        EventKind.EntryDeleted => "\e[31m",
        EventKind.EntryEvicted => "\e[35m",
        _ => "\e[36m",
    };
}
