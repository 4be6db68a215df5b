namespace Maplog.Tests.Unit.Replicator;

/// <summary>What may happen next.</summary>
internal enum Act
{
    /// <summary>The writer's map changes; as a rule it is logged at once, and published.</summary>
    Write,

    /// <summary>The same writer begins anew.</summary>
    NewTerm,

    /// <summary>The map is made again.</summary>
    NewMap,
    Beat,
    Deliver,
    Double,
    Lose,
    Garble,

    /// <summary>A block of an earlier term that was never committed.</summary>
    Forge,
    Tick,
    Crash,

    /// <summary>The batch is in the map, the cursor is not yet.</summary>
    CrashBetween,
    CrashBeforeRepair,

    /// <summary>The log comes back from a backup.</summary>
    LoseLog,

    /// <summary>The other node writes from now on; the old one has logged all that it recorded.</summary>
    Promote,

    /// <summary>The same behind the writer's back: what it had not logged is in its map alone.</summary>
    Depose,
}
