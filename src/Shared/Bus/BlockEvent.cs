using Maplog.Events;

namespace Maplog.Bus;

/// <summary>One event of a block, read in place; valid as long as the block's bytes are.</summary>
public readonly ref struct BlockEvent
{
    internal BlockEvent(StreamVersion version, EventKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ReadOnlySpan<byte> json, CpuParts parts = default)
    {
        Version = version;
        Kind = kind;
        Key = key;
        Value = value;
        Json = json;
        Parts = parts;
    }

    public StreamVersion Version { get; }

    public EventKind Kind { get; }

    /// <summary>The changed entry's key, of the block's key size; empty for a note.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>What was added or put in its place, of the block's value size; empty otherwise.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>The parts of a per-CPU value that an update changed, where <see cref="HasParts"/>.</summary>
    public CpuParts Parts { get; }

    /// <summary>Whether the event has the parts alone that it changed, and no value.</summary>
    public bool HasParts => Parts.PartSize > 0;

    /// <summary>A note's JSON in UTF-8; empty for a change.</summary>
    public ReadOnlySpan<byte> Json { get; }
}
