using Maplog.Events;

namespace Maplog.Bus;

/// <summary>One event of a block, read in place; valid as long as the block's bytes are.</summary>
public readonly ref struct BlockEvent
{
    internal BlockEvent(StreamVersion version, EventKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ReadOnlySpan<byte> json)
    {
        Version = version;
        Kind = kind;
        Key = key;
        Value = value;
        Json = json;
    }

    public StreamVersion Version { get; }

    public EventKind Kind { get; }

    /// <summary>The changed entry's key, of the block's key size; empty for a note.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>What was added or put in its place, of the block's value size; empty otherwise.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>A note's JSON in UTF-8; empty for a change.</summary>
    public ReadOnlySpan<byte> Json { get; }
}
