using Maplog.Events;
using Maplog.Log;

namespace Maplog.Tests.Integration.Log;

/// <summary>Events to write.</summary>
internal static class Made
{
    public static readonly DateTimeOffset Time = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private const int PartSize = 8;

    public static StreamHandle Stream(string name) => new(StreamName.Parse(name));

    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="position">In the ring.</param>
    /// <param name="comm">The process's name.</param>
    /// <param name="epoch">The term.</param>
    /// <param name="origin">Where it is known from.</param>
    /// <param name="before">Of a per-CPU map with values of up to 8 bytes: the value before, of which the parts that differ are told.</param>
    public static byte[] Payload(byte[] key, byte[] value, long position = 0, string comm = "bpftool", int epoch = 1, Origin origin = Origin.Program, byte[]? before = null)
    {
        var commBytes = System.Text.Encoding.UTF8.GetBytes(comm);
        var header = new ChangeHeader { Origin = origin, Cpu = 3, Tgid = 4711, Epoch = new Epoch(epoch), KernelTime = 1_000_000_000_000, RingPosition = position, RecordIndex = 2 };
        var parts = before is null ? null : CpuParts.SizeOf(before, value, PartSize);
        var payload = new byte[ChangePayload.Size(commBytes.Length, key.Length, parts ?? value.Length)];
        if (parts is null)
            ChangePayload.Write(payload, header, commBytes, key, value);
        else
            ChangePayload.WriteParts(payload, header, commBytes, key, before, value, PartSize);
        return payload;
    }

    /// <summary>A batch with a run of changes of one stream.</summary>
    public static EventBatch Changes(StreamHandle stream, long first, int count, int salt = 0)
    {
        var batch = new EventBatch();
        Add(batch, stream, first, count, salt);
        return batch;
    }

    public static void Add(EventBatch batch, StreamHandle stream, long first, int count, int salt = 0)
    {
        for (var i = 0; i < count; i++)
        {
            var version = first + i;
            batch.AddChange(stream, new StreamVersion(version), Time.AddMilliseconds(version), EventKind.EntryUpdated,
                Payload(BitConverter.GetBytes(version), BitConverter.GetBytes(version * 31 + salt), version * 100));
        }
    }

    public static MapOpened Opened(string name = "ct_map", int epoch = 1, uint id = 42) => new(
        epoch, id, "6f1c5a0e-0000-4000-8000-000000000001", name, new MapShape(1, 8, 8, 1024, 0, 0), [1, 2, 3, 255], 5, 6, "fentry", ["what a \"hook\" cannot see"], "node-a");
}
