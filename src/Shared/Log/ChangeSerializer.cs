using System.Runtime.InteropServices;
using JasperFx.Events;
using Maplog.Events;

namespace Maplog.Log;

/// <summary>
/// Hands Marten a change's payload as it is. Marten wants a whole array, so a payload that is one (the writer's always is)
/// costs nothing; any other is copied.
/// </summary>
internal sealed class ChangeSerializer : IEventBinarySerializer
{
    public byte[] Serialize(Type type, object data)
    {
        var payload = ((IChange)data).Payload;
        return MemoryMarshal.TryGetArray(payload, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length
            ? segment.Array
            : payload.ToArray();
    }

    public object Deserialize(Type type, byte[] data)
    {
        var change = (IChange)Activator.CreateInstance(type)!;
        change.Payload = data;
        return change;
    }
}
