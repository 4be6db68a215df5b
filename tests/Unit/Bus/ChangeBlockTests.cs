using System.Buffers.Binary;
using CsCheck;
using Maplog.Bus;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Bus;

public sealed class ChangeBlockTests
{
    private static readonly StreamName Stream = StreamName.Parse("lb-1/ct_map");
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_block_comes_out_as_it_went_in()
    {
        using var writer = new ChangeBlockWriter(capacity: 16);
        Blocks.Any.Sample(
            sent =>
            {
                Assert.True(ChangeBlock.TryRead(sent.WriteTo(writer), out var block, out var error), error);
                var come = SentBlock.Of(block);
                Assert.Equal(sent.Events, come.Events);
                Assert.Equal(sent with { Events = come.Events }, come);
                Assert.Equal(sent.Events[^1].Version, block.Last.Value);
            },
            iter: 300, threads: 1);
    }

    [Fact]
    public void Every_damaged_byte_is_noticed() =>
        Blocks.Any.Select(Gen.Byte[1, 255]).Sample(
            (sent, damage) =>
            {
                using var writer = new ChangeBlockWriter();
                var bytes = sent.WriteTo(writer).ToArray();
                for (var at = 0; at < bytes.Length; at++)
                {
                    bytes[at] ^= damage;
                    Refused(bytes);
                    bytes[at] ^= damage;
                }
            },
            iter: 30);

    [Fact]
    public void Every_cut_is_noticed() =>
        Blocks.Any.Sample(
            sent =>
            {
                using var writer = new ChangeBlockWriter();
                var bytes = sent.WriteTo(writer);
                for (var size = 0; size < bytes.Length; size++)
                    Refused(bytes[..size]);
            },
            iter: 30);

    [Fact]
    public void Bytes_after_the_end_are_noticed()
    {
        using var writer = new ChangeBlockWriter();
        Refused((byte[])[.. OneAdded(writer).Span, 0]);
    }

    [Fact]
    public void Any_bytes_are_refused_with_a_sentence_and_never_an_exception() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            "mlb\u0001"u8[..Math.Min(4, bytes.Length)].CopyTo(bytes);
            Refused(bytes);
        });

    [Fact]
    public void A_block_with_a_right_checksum_and_wrong_contents_is_refused_with_a_sentence()
    {
        // Not only noise: what a faulty writer could send.
        (string Sentence, Action<byte[]> Spoil)[] faults =
        [
            ("contradicts itself", b => BinaryPrimitives.WriteInt64LittleEndian(b.AsSpan(8), 0)),
            ("contradicts itself", b => BinaryPrimitives.WriteInt32LittleEndian(b.AsSpan(16), 0)),
            ("contradicts itself", b => BinaryPrimitives.WriteInt32LittleEndian(b.AsSpan(20), -1)),
            ("contradicts itself", b => BinaryPrimitives.WriteInt64LittleEndian(b.AsSpan(28), long.MaxValue)),
            ("contradicts itself", b => BinaryPrimitives.WriteInt32LittleEndian(b.AsSpan(36), int.MaxValue)),
            ("ends within version 8", b => BinaryPrimitives.WriteInt32LittleEndian(b.AsSpan(16), 2)),
            ("ends within version 7", b => BinaryPrimitives.WriteInt32LittleEndian(b.AsSpan(20), int.MaxValue)),
            ("bytes more than", b => BinaryPrimitives.WriteInt32LittleEndian(b.AsSpan(24), 1)),
            ("names no stream", b => b[41] = (byte)'/'),
            ("kind 200", b => { b[41 + 11] = 200; b[41 + 12] = 5; }),
        ];
        foreach (var (sentence, spoil) in faults)
        {
            using var writer = new ChangeBlockWriter();
            var bytes = OneAdded(writer).ToArray();
            spoil(bytes);
            Crc32C.Seal(bytes);
            Assert.Contains(sentence, Refused(bytes), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_newer_layout_is_named()
    {
        using var writer = new ChangeBlockWriter();
        var bytes = OneAdded(writer).ToArray();
        bytes[3] = 3;
        Assert.Contains("layout 3", Refused(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void An_entry_of_another_shape_is_refused_by_the_writer()
    {
        using var writer = new ChangeBlockWriter();
        writer.Begin(Stream, new Epoch(1), new StreamVersion(1), keySize: 4, valueSize: 2);
        Assert.Throws<ArgumentException>(() => writer.AddChange(EventKind.EntryAdded, new byte[5], new byte[2]));
        Assert.Throws<ArgumentException>(() => writer.AddChange(EventKind.EntryAdded, new byte[4], new byte[1]));
        Assert.Throws<ArgumentException>(() => writer.AddChange(EventKind.EntryDeleted, new byte[4], new byte[2]));
        Assert.Throws<ArgumentException>(() => writer.AddChange(EventKind.MapOpened, new byte[4], new byte[2]));
        Assert.Throws<ArgumentException>(() => writer.AddNote(EventKind.EntryAdded, "{}"u8.ToArray()));
        Assert.Throws<InvalidOperationException>(() => writer.Finish(Noon));
    }

    [Fact]
    public void Events_of_the_log_go_in_as_they_are_and_only_in_order()
    {
        var payload = new byte[ChangePayload.Size(4, 2, 3)];
        ChangePayload.Write(payload, new ChangeHeader { Epoch = new Epoch(1) }, "bash"u8, [1, 2], [3, 4, 5]);
        using var writer = new ChangeBlockWriter();
        writer.Begin(Stream, new Epoch(1), new StreamVersion(1), 2, 3);
        writer.Add(new LoggedEvent(new StreamVersion(1), Noon, EventKind.MapClosed, "{}"u8.ToArray()));
        Assert.Throws<ArgumentException>(() => writer.Add(new LoggedEvent(new StreamVersion(3), Noon, EventKind.EntryUpdated, payload)));
        writer.Add(new LoggedEvent(new StreamVersion(2), Noon, EventKind.EntryUpdated, payload));

        Assert.True(ChangeBlock.TryRead(writer.Finish(Noon), out var block, out var error), error);
        Assert.Equal([new SentEvent(1, EventKind.MapClosed, "", "", "7B7D"), new SentEvent(2, EventKind.EntryUpdated, "0102", "030405", "")], SentBlock.Of(block).Events);
    }

    [Fact]
    public void Parts_of_a_value_travel_as_parts_in_a_block_that_says_so()
    {
        byte[] before = new byte[128 * 8], after = new byte[128 * 8];
        after[77 * 8] = 5;
        var payload = new byte[ChangePayload.Size(0, 2, CpuParts.SizeOf(before, after, 8)!.Value)];
        ChangePayload.WriteParts(payload, new ChangeHeader { Epoch = new Epoch(1) }, [], [1, 2], before, after, 8);
        using var writer = new ChangeBlockWriter();
        writer.Begin(Stream, new Epoch(1), new StreamVersion(1), 2, 1024);
        writer.AddChange(EventKind.EntryAdded, [1, 2], before);
        Assert.Equal(1, writer.Finish(Noon).Span[3]);

        writer.Begin(Stream, new Epoch(1), new StreamVersion(2), 2, 1024);
        writer.Add(new LoggedEvent(new StreamVersion(2), Noon, EventKind.EntryUpdated, payload));
        writer.AddChange(EventKind.EntryDeleted, [1, 2], []);
        var bytes = writer.Finish(Noon).ToArray();
        Assert.Equal((2, 41 + 11 + 16 + 3 + 4), (bytes[3], bytes.Length));
        Assert.True(ChangeBlock.TryRead(bytes, out var block, out var error), error);
        var seen = 0;
        foreach (var e in block)
        {
            Assert.Equal(seen == 0 ? EventKind.EntryUpdated : EventKind.EntryDeleted, e.Kind);
            Assert.Equal([1, 2], e.Key.ToArray());
            Assert.Equal(seen++ == 0, e.HasParts);
            if (e.HasParts)
                e.Parts.CopyTo(before);
        }
        Assert.Equal((2, Convert.ToHexString(after)), (seen, Convert.ToHexString(before)));
        for (var at = 0; at < bytes.Length; at++)
            Refused(bytes.AsMemory(0, at));
        writer.Begin(Stream, new Epoch(1), new StreamVersion(1), 2, 77 * 8);
        Assert.Throws<ArgumentException>(() => writer.Add(new LoggedEvent(new StreamVersion(1), Noon, EventKind.EntryUpdated, payload)));
    }

    [Fact]
    public void Going_through_a_block_allocates_nothing()
    {
        using var writer = new ChangeBlockWriter();
        writer.Begin(Stream, new Epoch(1), new StreamVersion(1), 24, 64);
        for (var i = 0; i < 1000; i++)
            writer.AddChange(EventKind.EntryUpdated, new byte[24], new byte[64]);
        Assert.True(ChangeBlock.TryRead(writer.Finish(Noon), out var block, out _));
        long Sum()
        {
            var sum = 0L;
            foreach (var e in block)
                sum += e.Version.Value + e.Key.Length + e.Value.Length;
            return sum;
        }

        var first = Sum();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var second = Sum();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(first, second);
    }

    private static ReadOnlyMemory<byte> OneAdded(ChangeBlockWriter writer)
    {
        writer.Begin(Stream, new Epoch(3), new StreamVersion(7), 4, 8);
        writer.AddChange(EventKind.EntryAdded, new byte[4], new byte[8]);
        return writer.Finish(Noon);
    }

    private static string Refused(ReadOnlyMemory<byte> bytes)
    {
        Assert.False(ChangeBlock.TryRead(bytes, out var block, out var error));
        Assert.Null(block);
        Assert.EndsWith(".", error, StringComparison.Ordinal);
        return error;
    }
}
