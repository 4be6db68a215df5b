using JasperFx.Events;

namespace Maplog.Events;

/// <summary>A change of one entry; its payload is laid out by <see cref="ChangePayload"/> and stored as it is.</summary>
public interface IChange
{
    ReadOnlyMemory<byte> Payload { get; set; }
}

[BinaryEvent]
public sealed class EntryAdded : IChange
{
    public ReadOnlyMemory<byte> Payload { get; set; }
}

[BinaryEvent]
public sealed class EntryUpdated : IChange
{
    public ReadOnlyMemory<byte> Payload { get; set; }
}

[BinaryEvent]
public sealed class EntryDeleted : IChange
{
    public ReadOnlyMemory<byte> Payload { get; set; }
}

[BinaryEvent]
public sealed class EntryEvicted : IChange
{
    public ReadOnlyMemory<byte> Payload { get; set; }
}
