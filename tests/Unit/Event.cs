using Maplog.Events;

namespace Maplog.Tests.Unit;

/// <summary>Events of one stream, made short.</summary>
internal static class Event
{
    public static StreamName Stream { get; } = new("lb-1", "ct_map");

    public static byte[] Key(int id) => BitConverter.GetBytes(id);

    public static byte[] Value(long content) => BitConverter.GetBytes(content);

    public static LoggedEvent Opened(long version, MapShape shape, int epoch = 1, uint mapId = 7) =>
        Note(version, new MapOpened(epoch, mapId, "boot", "ct_map", shape, null, 0, 0, "fentry", [], "node"));

    public static LoggedEvent Note(long version, object note) => new(new StreamVersion(version), Time(version), NoteCodec.KindOf(note), NoteCodec.Write(note));

    public static LoggedEvent Change(long version, EventKind kind, int key, long value = 0, int epoch = 1, long kernelTime = 0, ushort cpu = 0) =>
        Change(version, kind, Key(key), Value(value), epoch, kernelTime, cpu);

    public static LoggedEvent Change(long version, EventKind kind, byte[] key, byte[] value, int epoch = 1, long kernelTime = 0, ushort cpu = 0)
    {
        var content = kind.HasValue() ? value : [];
        var payload = new byte[ChangePayload.Size(2, key.Length, content.Length)];
        var header = new ChangeHeader { Origin = Origin.Syscall, Cpu = cpu, Epoch = new Epoch(epoch), KernelTime = kernelTime, RingPosition = version * 64 };
        ChangePayload.Write(payload, header, "sh"u8, key, content);
        return new LoggedEvent(new StreamVersion(version), Time(version), kind, payload);
    }

    /// <summary>An update of a per-CPU map with parts of 8 bytes.</summary>
    public static LoggedEvent Parts(long version, byte[] key, byte[] before, byte[] after)
    {
        var payload = new byte[ChangePayload.Size(2, key.Length, CpuParts.SizeOf(before, after, 8)!.Value)];
        ChangePayload.WriteParts(payload, new ChangeHeader { Epoch = new Epoch(1), RingPosition = version * 64 }, "sh"u8, key, before, after, 8);
        return new LoggedEvent(new StreamVersion(version), Time(version), EventKind.EntryUpdated, payload);
    }

    private static DateTimeOffset Time(long version) => DateTimeOffset.UnixEpoch.AddSeconds(version);
}
