using Maplog.Events;
using Maplog.Folding;

namespace Maplog.Cli.TimeTravel;

/// <summary>Goes along a stream, and gives each change of a per-CPU map the whole value, where the log has the parts alone that changed.</summary>
/// <param name="stream">Which stream.</param>
/// <param name="past">The map where it begins; null: no change that follows can have parts, until a map is opened.</param>
internal sealed class WholeChanges(StreamName stream, StreamFold? past)
{
    private StreamFold? _fold = past;

    public LoggedEvent Take(in LoggedEvent logged)
    {
        if (logged.Kind == EventKind.MapOpened)
            _fold = IsPerCpu((MapOpened)NoteCodec.Read(logged.Kind, logged.Data.Span)) ? new StreamFold(stream, logged.Version + -1) : null;
        _fold?.Apply(logged);
        if (_fold is null || !logged.Kind.IsChange())
            return logged;
        var change = ChangePayload.Read(logged.Data.Span);
        if (!change.HasParts || !_fold.Entries.TryGet(change.Key, out var value))
            return logged;
        var whole = new byte[ChangePayload.Size(change.CommBytes.Length, change.Key.Length, value.Length)];
        ChangePayload.Write(whole, change.Header, change.CommBytes, change.Key, value);
        return logged with { Data = whole };
    }

    public static bool IsPerCpu(MapOpened? map) => map?.Shape.PossibleCpus > 0;
}
