using System.Buffers.Binary;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Benchmarks;

/// <summary>Changes of 24-byte keys and 64-byte values, as capture would write them.</summary>
internal sealed class Changes
{
    private readonly byte[] _key = new byte[Sizes.KeySize], _value = new byte[Sizes.ValueSize];

    public static void Key(Span<byte> key, int number)
    {
        // Addresses of one network and ports: the bytes differ where a connection table's do.
        BinaryPrimitives.WriteUInt32BigEndian(key, 0x0a000000u | (uint)number);
        BinaryPrimitives.WriteUInt16BigEndian(key[16..], (ushort)(number * 7));
    }

    public void Add(EventBatch batch, StreamHandle stream, long version, DateTimeOffset time, EventKind kind, int key, long value)
    {
        Key(_key, key);
        BinaryPrimitives.WriteInt64LittleEndian(_value, value);
        BinaryPrimitives.WriteInt64LittleEndian(_value.AsSpan(40), ~value);
        var payload = batch.AddChange(stream, new StreamVersion(version), time, kind, ChangePayload.Size(6, Sizes.KeySize, Sizes.ValueSize));
        ChangePayload.Write(payload, new ChangeHeader { Origin = Origin.Program, Cpu = 1, Tgid = 4711, Epoch = new Epoch(1), KernelTime = version * 1000, RingPosition = version * 192 }, "ct_mon"u8, _key, _value);
    }
}
