namespace Maplog.Events;

/// <summary>Who made a change. The numbers are written into the log: add to the end, never renumber.</summary>
public enum Origin : byte
{
    Unknown = 0,

    /// <summary>A BPF program.</summary>
    Program = 1,

    /// <summary>A process, by bpf(2).</summary>
    Syscall = 2,

    /// <summary>The map itself: an LRU map made room.</summary>
    Eviction = 3,

    /// <summary>Nobody seen: a scan found the difference.</summary>
    Scan = 4,

    /// <summary>Several CPUs hit the key at about the same time; this is what the map held once they had settled.</summary>
    ReadBack = 5,

    /// <summary>A program, through the pointer that a lookup returned: no hook sees such a write, a walk over the map found it.</summary>
    InPlace = 6,
}
