using Maplog.Events;

namespace Maplog.Folding;

/// <summary>Reads the changes of a stream for whoever folds them, and holds them against the map's shape.</summary>
public static class CheckedChange
{
    /// <param name="stream">Named in the error.</param>
    /// <param name="change">A change, not a note.</param>
    /// <param name="shape">The map's, or null while none was opened.</param>
    /// <exception cref="FormatException">The change cannot be one of such a map: the log is damaged or newer.</exception>
    public static ChangeView Read(StreamName stream, in LoggedEvent change, MapShape? shape)
    {
        if (shape is null)
            throw new FormatException($"Stream {stream} has a change at version {change.Version}, but no map was opened before it: read the stream from its beginning.");
        ChangeView view;
        try
        {
            view = ChangePayload.Read(change.Data.Span);
        }
        catch (FormatException e)
        {
            throw new FormatException($"Version {change.Version} of stream {stream} cannot be read: {e.Message}", e);
        }
        var valueBytes = change.Kind.HasValue() ? shape.ValueBytes : 0;
        if (view.Key.Length != shape.KeySize || view.Value.Length != valueBytes)
        {
            throw new FormatException(
                $"Version {change.Version} of stream {stream}, {change.Kind}, has a key of {view.Key.Length} and a value of {view.Value.Length} bytes, but its map has keys of {shape.KeySize} and needs a value of {valueBytes}: the log is damaged.");
        }
        return view;
    }
}
