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
        if (view.HasParts ? !PartsFit(view, change.Kind, shape) : view.Key.Length != shape.KeySize || view.Value.Length != valueBytes)
        {
            throw new FormatException(
                $"Version {change.Version} of stream {stream}, {change.Kind}, has a key of {view.Key.Length} and a value of {view.Rest.Length} bytes, but its map has keys of {shape.KeySize} and needs a value of {valueBytes}: the log is damaged.");
        }
        return view;
    }

    /// <summary>Writes the value after a change over the value before it.</summary>
    /// <param name="stream">Named in the error.</param>
    /// <param name="version">Named in the error.</param>
    /// <param name="change">A change that has a value.</param>
    /// <param name="isKnown">Whether the value before it is known.</param>
    /// <param name="value">The value before, if it is known; then the value after.</param>
    /// <exception cref="FormatException">The change has parts of a value whose other parts are not known.</exception>
    public static void Put(StreamName stream, StreamVersion version, in ChangeView change, bool isKnown, Span<byte> value)
    {
        if (!change.HasParts)
            change.Value.CopyTo(value);
        else if (isKnown)
            change.Parts.CopyTo(value);
        else
            throw Baseless(stream, version);
    }

    internal static FormatException Baseless(StreamName stream, StreamVersion version) =>
        new($"Version {version} of stream {stream} has parts of a per-CPU value, but no event before it has the whole value: the log is damaged.");

    private static bool PartsFit(in ChangeView change, EventKind kind, MapShape shape) =>
        kind == EventKind.EntryUpdated && shape.PossibleCpus > 0 && change.Key.Length == shape.KeySize && change.Parts.PartSize == shape.PartSize
        && change.Parts.Fit(shape.ValueBytes);
}
