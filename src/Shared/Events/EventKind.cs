namespace Maplog.Events;

/// <summary>What an event says. The numbers are written into bus blocks: add to the end, never renumber.</summary>
public enum EventKind : byte
{
    None = 0,
    EntryAdded = 1,
    EntryUpdated = 2,
    EntryDeleted = 3,

    /// <summary>An LRU map dropped the entry to make room.</summary>
    EntryEvicted = 4,
    MapOpened = 5,
    MapClosed = 6,
    EpochStarted = 7,
    GapFound = 8,
    Sealed = 9,

    /// <summary>The map goes on in another kernel map, with what it held; or it is frozen from here on.</summary>
    MapMoved = 10,

    /// <summary>Older versions are to be deleted, or are already.</summary>
    Pruned = 11,
}

public static class EventKinds
{
    /// <summary>Whether the event is a change of one entry, with a binary payload; all others are JSON notes about the stream.</summary>
    public static bool IsChange(this EventKind kind) => kind is >= EventKind.EntryAdded and <= EventKind.EntryEvicted;

    /// <summary>Whether the change carries a value beside its key.</summary>
    public static bool HasValue(this EventKind kind) => kind is EventKind.EntryAdded or EventKind.EntryUpdated;
}
