using Maplog.Events;

namespace Maplog.Tests.Recorded;

/// <summary>A change as the log has it; key and value in hex.</summary>
public sealed record LoggedChange(EventKind Kind, string Key, string Value, Origin Origin)
{
    /// <summary>Whether a hook saw it; the others the daemon found by reading the map.</summary>
    public bool IsSeen => Origin is not (Origin.Scan or Origin.ReadBack or Origin.InPlace);

    public bool Is(DriverChange change) => Key == change.Key && Kind switch
    {
        EventKind.EntryAdded => change.Op is "add" or "put" && Value == change.Value,
        EventKind.EntryUpdated => change.Op is "update" or "put" && Value == change.Value,
        EventKind.EntryDeleted => change.Op is "delete",
        _ => false,
    };
}
