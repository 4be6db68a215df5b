using System.Text.Json;
using Maplog.Events;

namespace Maplog.Folding;

/// <summary>Under whose term an event was written; every event says it, a change in its header, a note in its JSON.</summary>
public static class EventEpoch
{
    /// <exception cref="FormatException">The event does not say.</exception>
    public static Epoch Of(in LoggedEvent logged)
    {
        if (logged.Kind.IsChange())
            return ChangePayload.Read(logged.Data.Span).Header.Epoch;
        var reader = new Utf8JsonReader(logged.Data.Span);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("epoch"u8) && reader.Read())
                    return new Epoch(reader.GetInt32());
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new FormatException($"The {logged.Kind} note at version {logged.Version} cannot be read: {e.Message}", e);
        }
        throw new FormatException($"The {logged.Kind} note at version {logged.Version} names no epoch.");
    }
}
