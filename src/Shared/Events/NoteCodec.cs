using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maplog.Events;

/// <summary>Notes as JSON in UTF-8, camelCase, bytes as base64: the form they have in the log, on the bus and for anybody who reads either.</summary>
public static class NoteCodec
{
    /// <summary>The same rules for a serializer of another library, Marten's for one.</summary>
    public static JsonSerializerOptions Options { get; } = MakeOptions();

    /// <exception cref="ArgumentException">Not one of the notes.</exception>
    public static EventKind KindOf(object note) => note switch
    {
        MapOpened => EventKind.MapOpened,
        MapClosed => EventKind.MapClosed,
        EpochStarted => EventKind.EpochStarted,
        GapFound => EventKind.GapFound,
        Sealed => EventKind.Sealed,
        MapMoved => EventKind.MapMoved,
        Pruned => EventKind.Pruned,
        _ => throw new ArgumentException($"A {note.GetType().Name} is not a note of the log.", nameof(note)),
    };

    public static byte[] Write(object note) => KindOf(note) switch
    {
        EventKind.MapOpened => JsonSerializer.SerializeToUtf8Bytes((MapOpened)note, NoteJson.Default.MapOpened),
        EventKind.MapClosed => JsonSerializer.SerializeToUtf8Bytes((MapClosed)note, NoteJson.Default.MapClosed),
        EventKind.EpochStarted => JsonSerializer.SerializeToUtf8Bytes((EpochStarted)note, NoteJson.Default.EpochStarted),
        EventKind.GapFound => JsonSerializer.SerializeToUtf8Bytes((GapFound)note, NoteJson.Default.GapFound),
        EventKind.Sealed => JsonSerializer.SerializeToUtf8Bytes((Sealed)note, NoteJson.Default.Sealed),
        EventKind.MapMoved => JsonSerializer.SerializeToUtf8Bytes((MapMoved)note, NoteJson.Default.MapMoved),
        _ => JsonSerializer.SerializeToUtf8Bytes((Pruned)note, NoteJson.Default.Pruned),
    };

    /// <exception cref="FormatException">The bytes are not a note of this kind.</exception>
    public static object Read(EventKind kind, ReadOnlySpan<byte> json)
    {
        try
        {
            object? note = kind switch
            {
                EventKind.MapOpened => JsonSerializer.Deserialize(json, NoteJson.Default.MapOpened),
                EventKind.MapClosed => JsonSerializer.Deserialize(json, NoteJson.Default.MapClosed),
                EventKind.EpochStarted => JsonSerializer.Deserialize(json, NoteJson.Default.EpochStarted),
                EventKind.GapFound => JsonSerializer.Deserialize(json, NoteJson.Default.GapFound),
                EventKind.Sealed => JsonSerializer.Deserialize(json, NoteJson.Default.Sealed),
                EventKind.MapMoved => JsonSerializer.Deserialize(json, NoteJson.Default.MapMoved),
                EventKind.Pruned => JsonSerializer.Deserialize(json, NoteJson.Default.Pruned),
                _ => throw new FormatException($"{kind} is not a note."),
            };
            return note ?? throw new FormatException($"The {kind} note is null.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"The {kind} note cannot be read: {e.Message}", e);
        }
    }

    /// <exception cref="FormatException">The bytes are not such a note.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, Options) ?? throw new FormatException($"The {typeof(T).Name} note is null.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"The {typeof(T).Name} note cannot be read: {e.Message}", e);
        }
    }

    private static JsonSerializerOptions MakeOptions()
    {
        // Marten adds types of its own (its dead letters); they take the reflection path.
        var options = new JsonSerializerOptions(NoteJson.Default.Options);
        options.TypeInfoResolverChain.Add(new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver());
        options.MakeReadOnly();
        return options;
    }
}

// Metadata only: the generated writers write bytes that are null as "".
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(MapOpened))]
[JsonSerializable(typeof(MapClosed))]
[JsonSerializable(typeof(EpochStarted))]
[JsonSerializable(typeof(GapFound))]
[JsonSerializable(typeof(Sealed))]
[JsonSerializable(typeof(MapMoved))]
[JsonSerializable(typeof(Pruned))]
internal sealed partial class NoteJson : JsonSerializerContext;
