using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Maplog.Cli.Describing;
using Maplog.Cli.TimeTravel;
using Maplog.Configuration;
using Maplog.Events;

namespace Maplog.Cli.Output;

/// <summary>Events of one stream, one line each: as text, or as JSON with the names of the SQL views.</summary>
/// <param name="terminal">Receives the lines.</param>
/// <param name="opened">The map at the first event; null: unknown.</param>
/// <param name="asJson">One object per line.</param>
/// <param name="descriptions">The meaning of the map's bytes; null: show hex.</param>
internal sealed class EventPrinter(Terminal terminal, MapOpened? opened, bool asJson, Descriptions? descriptions) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Utf8JsonWriter _json = new(Stream.Null, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    private MapShape? _shape = opened?.Shape;
    private FieldFormat? _format = opened is null ? null : new FieldFormat(opened, descriptions);

    public void Print(in LoggedEvent logged)
    {
        if (!asJson)
        {
            Begin(logged);
            terminal.Out.WriteLine(logged.Kind.IsChange() ? Change(logged) : Note(logged));
            return;
        }
        _line.ResetWrittenCount();
        _json.Reset(_line);
        _json.WriteStartObject();
        _json.WriteNumber("version", logged.Version.Value);
        _json.WriteString("at", Times.Of(logged.Time));
        _json.WriteString("kind", EventWords.Of(logged.Kind));
        if (logged.Kind.IsChange())
            WriteChange(logged);
        else
            WriteNote(logged);
        _json.WriteEndObject();
        _json.Flush();
        terminal.Out.WriteLine(Encoding.UTF8.GetString(_line.WrittenSpan));
    }

    public void Dispose() => _json.Dispose();

    /// <summary>Takes the generation of the map to which the next events belong.</summary>
    public void Open(MapOpened map)
    {
        _shape = map.Shape;
        _format = new FieldFormat(map, descriptions);
    }

    // A watch may begin in a generation of another shape, with an earlier description.
    private FieldFormat? FormatOf(in ChangeView change, EventKind kind) =>
        _shape is { } shape && change.Key.Length == shape.KeySize && (!kind.HasValue() || change.Value.Length == shape.ValueBytes) ? _format : null;

    private string Change(in LoggedEvent logged)
    {
        var change = ChangePayload.Read(logged.Data.Span);
        var header = change.Header;
        var format = FormatOf(change, logged.Kind);
        var line = new StringBuilder($"  {EventWords.Of(header.Origin)} {SafeText.Of(change.Comm)}[{header.Tgid}] cpu{header.Cpu}  ")
            .Append(format?.Key(change.Key) ?? Hex.Of(change.Key));
        if (logged.Kind.HasValue())
            line.Append(" -> ").Append(format?.Value(change.Value) ?? Hex.Of(change.Value));
        return line.ToString();
    }

    private static string Note(in LoggedEvent logged) => $"  {Encoding.UTF8.GetString(logged.Data.Span)}";

    private void Begin(in LoggedEvent logged)
    {
        terminal.Out.Write($"{Times.Of(logged.Time)}  {logged.Version,8}  ");
        terminal.Paint(Colour(logged.Kind), EventWords.Of(logged.Kind).PadRight(7));
    }

    private void WriteChange(in LoggedEvent logged)
    {
        var change = ChangePayload.Read(logged.Data.Span);
        var header = change.Header;
        _json.WriteString("key", Hex.Of(change.Key));
        if (logged.Kind.HasValue())
            _json.WriteString("value", Hex.Of(change.Value));
        FormatOf(change, logged.Kind)?.WriteFormatted(_json, change.Key, change.Value, logged.Kind.HasValue());
        _json.WriteString("origin", EventWords.Of(header.Origin));
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

    private static string Colour(EventKind kind) => kind switch
    {
        EventKind.EntryAdded => Colours.Green,
        EventKind.EntryUpdated => Colours.Yellow,
        EventKind.EntryDeleted => Colours.Red,
        EventKind.EntryEvicted => Colours.Magenta,
        _ => Colours.Cyan,
    };
}
