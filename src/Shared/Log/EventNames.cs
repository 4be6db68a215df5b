using Maplog.Events;

namespace Maplog.Log;

/// <summary>What an event is called in the log: its Marten event type, and a one-letter .NET type, because both are stored in every row.</summary>
internal static class EventNames
{
    private static readonly (EventKind Kind, Type Type, string Name, string Letter)[] All =
    [
        (EventKind.EntryAdded, typeof(EntryAdded), "entry_added", "a"),
        (EventKind.EntryUpdated, typeof(EntryUpdated), "entry_updated", "u"),
        (EventKind.EntryDeleted, typeof(EntryDeleted), "entry_deleted", "d"),
        (EventKind.EntryEvicted, typeof(EntryEvicted), "entry_evicted", "e"),
        (EventKind.MapOpened, typeof(MapOpened), "map_opened", "o"),
        (EventKind.MapClosed, typeof(MapClosed), "map_closed", "c"),
        (EventKind.EpochStarted, typeof(EpochStarted), "epoch_started", "s"),
        (EventKind.GapFound, typeof(GapFound), "gap_found", "g"),
        (EventKind.Sealed, typeof(Sealed), "sealed", "l"),
        (EventKind.MapMoved, typeof(MapMoved), "map_moved", "m"),
        (EventKind.Pruned, typeof(Pruned), "pruned", "p"),
    ];

    public static IEnumerable<(EventKind Kind, Type Type, string Name, string Letter)> Everything => All;

    public static string Name(EventKind kind) => All[(int)kind - 1].Name;

    public static string Letter(EventKind kind) => All[(int)kind - 1].Letter;

    public static Type Type(EventKind kind) => All[(int)kind - 1].Type;

    /// <exception cref="ArgumentException">Not a type of event.</exception>
    public static EventKind KindOf(Type type)
    {
        foreach (var entry in All)
            if (entry.Type == type)
                return entry.Kind;
        throw new ArgumentException($"{type.Name} is not an event of the log.", nameof(type));
    }

    public static EventKind Kind(ReadOnlySpan<byte> utf8)
    {
        if (utf8.SequenceEqual("entry_updated"u8))
            return EventKind.EntryUpdated;
        if (utf8.SequenceEqual("entry_added"u8))
            return EventKind.EntryAdded;
        if (utf8.SequenceEqual("entry_deleted"u8))
            return EventKind.EntryDeleted;
        if (utf8.SequenceEqual("entry_evicted"u8))
            return EventKind.EntryEvicted;
        return Kind(System.Text.Encoding.UTF8.GetString(utf8));
    }

    /// <exception cref="FormatException">The log holds an event this version does not know.</exception>
    public static EventKind Kind(string name)
    {
        foreach (var entry in All)
            if (entry.Name == name)
                return entry.Kind;
        throw new FormatException($"The log holds an event of type '{name}', which this version of maplog does not know: upgrade maplog.");
    }
}
