using System.Buffers.Binary;
using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

public sealed class RingTests
{
    [Fact]
    public void What_a_program_writes_is_read_in_place_and_in_order()
    {
        using var filler = new RingFiller(64 * 1024);
        using var reader = RingReader.Open(filler.Ring);
        Assert.False(reader.TryRead(out _));
        Assert.True(filler.Fill(40, 3));
        for (ulong n = 1; n <= 3; n++)
        {
            Assert.True(reader.TryRead(out RingRecord record));
            Assert.Equal((n - 1) * 48, record.Position);
            Assert.Equal(n * 48, record.End);
            Assert.Equal(40, record.Data.Length);
            Assert.Equal(n, Sequence(record));
        }

        Assert.False(reader.TryRead(out _));
        Assert.Equal(reader.ProducerPosition, reader.Cursor);
    }

    [Fact]
    public void Nothing_is_given_back_before_it_is_released()
    {
        using var filler = new RingFiller(4096);
        using var reader = RingReader.Open(filler.Ring);
        // 56 bytes each with the header: 73 fit into 4096.
        Assert.False(filler.Fill(48, 100));
        for (int i = 0; i < 73; i++)
            Assert.True(reader.TryRead(out _));
        Assert.False(reader.TryRead(out _));
        Assert.Equal(0ul, reader.ConsumerPosition);
        Assert.False(filler.Fill(48)); // read, but not released
        reader.Release(10 * 56);
        Assert.Equal(10ul * 56, reader.ConsumerPosition);
        Assert.True(filler.Fill(48));
        Assert.True(reader.TryRead(out RingRecord record));
        Assert.Equal(74ul, Sequence(record));
        Assert.Equal(73ul * 56, record.Position);
        reader.Release(5 * 56); // an older position changes nothing
        Assert.Equal(10ul * 56, reader.ConsumerPosition);
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.Release(reader.Cursor + 56));
    }

    [Fact]
    public void Discarded_records_are_passed_over_and_released_with_the_rest()
    {
        using var filler = new RingFiller(64 * 1024);
        using var reader = RingReader.Open(filler.Ring);
        Assert.True(filler.Fill(16, 30, discardEvery: 3));
        var seen = new List<ulong>();
        while (reader.TryRead(out RingRecord record))
            seen.Add(Sequence(record));
        Assert.Equal(Enumerable.Range(1, 30).Where(n => n % 3 != 0).Select(n => (ulong)n), seen);
        Assert.Equal(reader.ProducerPosition, reader.Cursor); // also past the last, which was discarded
        reader.Release(reader.Cursor);
        Assert.Equal(reader.ProducerPosition, reader.ConsumerPosition);
    }

    [Fact]
    public void Records_of_all_sizes_are_whole_across_the_ring_s_end()
    {
        using var filler = new RingFiller(8192);
        using var reader = RingReader.Open(filler.Ring);
        ulong expected = 1, end = 0;
        for (int round = 0; round < 400; round++)
        {
            int length = 8 + (round * 37 % 2041);
            Assert.True(filler.Fill(length));
            Assert.True(reader.TryRead(out RingRecord record));
            Assert.Equal(length, record.Data.Length);
            Assert.Equal(expected++, Sequence(record));
            Assert.Equal(end, record.Position);
            Assert.True(record.Data[8..].SequenceEqual(RingFiller.Pattern.AsSpan(0, length - 8)), $"Round {round}.");
            end = record.End;
            reader.Release(end);
        }

        Assert.True(reader.ProducerPosition > 40 * reader.Size);
    }

    [Fact]
    public void A_next_reader_begins_where_the_last_one_released()
    {
        using var pins = new PinFolder();
        using var filler = new RingFiller(64 * 1024);
        filler.Ring.Pin(pins["ring"]);
        Assert.True(filler.Fill(24, 10));
        using (var first = RingReader.Open(filler.Ring))
        {
            for (int i = 0; i < 7; i++)
                Assert.True(first.TryRead(out _));
            first.Release(4 * 32);
        }

        using var pinned = BpfMap.OpenPinned(pins["ring"]);
        using var second = RingReader.Open(pinned);
        Assert.Equal(4ul * 32, second.Cursor);
        for (ulong n = 5; n <= 10; n++)
        {
            Assert.True(second.TryRead(out RingRecord record));
            Assert.Equal(n, Sequence(record));
        }

        second.Rewind();
        Assert.True(second.TryRead(out RingRecord again));
        Assert.Equal(5ul, Sequence(again));
    }

    [Fact]
    public void Reading_beside_a_writing_program_loses_nothing()
    {
        using var filler = new RingFiller(64 * 1024);
        using var reader = RingReader.Open(filler.Ring);
        const ulong records = 50_000;
        // The program counts up only when its record found room, so the sequence has no holes.
        var writer = new Thread(() =>
        {
            while (reader.ProducerPosition < records * 48)
                filler.Fill(40, 20_000); // many in one call: each call of several runs costs the kernel a grace period
        });
        writer.Start();
        ulong expected = 1;
        while (expected <= records)
        {
            while (reader.TryRead(out RingRecord record))
                Assert.Equal(expected++, Sequence(record));
            reader.Release(reader.Cursor);
        }

        writer.Join();
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        using var filler = new RingFiller(64 * 1024);
        using var reader = RingReader.Open(filler.Ring);
        Assert.True(filler.Fill(40, 1000));
        Assert.True(reader.TryRead(out _));
        reader.Release(reader.Cursor);
        long before = GC.GetAllocatedBytesForCurrentThread();
        int read = 0;
        while (reader.TryRead(out _))
        {
            read++;
            reader.Release(reader.Cursor);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(999, read);
    }

    [Fact]
    public void A_map_that_is_no_ring_and_a_wrong_size_are_refused()
    {
        using var hash = BpfMap.Create("no_ring", MapType.Hash, 4, 4, 4);
        Assert.Contains("not a ring buffer", Assert.Throws<ArgumentException>(() => RingReader.Open(hash)).Message);
        Assert.Throws<KernelException>(() => new RingReader(hash, 4096));
        using var ring = BpfMap.Create("ring", MapType.RingBuffer, 0, 0, 4096);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RingReader(ring, 5000));
        Assert.Contains("size", Assert.Throws<KernelException>(() => new RingReader(ring, 16384)).Message); // the kernel offers the bytes twice
        var reader = RingReader.Open(ring);
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.TryRead(out _));
        Assert.Throws<ObjectDisposedException>(() => reader.Release(0));
    }

    [Fact]
    public void A_record_that_is_not_yet_written_holds_up_those_behind_it()
    {
        using var ring = new PaperRing(start: 0);
        ring.Write(0, 16, busy: true);
        ring.Write(24, 16);
        ring.Producer = 48;
        using var reader = new RingReader(ring.File, PaperRing.Size);
        Assert.False(reader.TryRead(out _));
        Assert.Equal(0ul, reader.Cursor);
        ring.Write(0, 16);
        Assert.True(reader.TryRead(out RingRecord first));
        Assert.Equal(0ul, first.Position);
        Assert.True(reader.TryRead(out RingRecord second));
        Assert.Equal(24ul, second.Position);
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void Positions_beyond_32_bits_are_positions_like_any_other()
    {
        const ulong start = (1ul << 32) - 24;
        using var ring = new PaperRing(start);
        for (ulong position = start; position < start + (24 * 10); position += 24)
            ring.Write(position, 16);
        ring.Producer = start + (24 * 10);
        using var reader = new RingReader(ring.File, PaperRing.Size);
        for (ulong n = 0; n < 10; n++)
        {
            Assert.True(reader.TryRead(out RingRecord record));
            Assert.Equal(start + (n * 24), record.Position);
            Assert.Equal(record.Position, Sequence(record));
        }

        Assert.False(reader.TryRead(out _));
        reader.Release(reader.Cursor);
        Assert.Equal(start + 240, ring.Consumer);
    }

    [Fact]
    public void A_second_reader_that_releases_under_the_first_is_found_out()
    {
        using var ring = new PaperRing(start: 0);
        using var reader = new RingReader(ring.File, PaperRing.Size);
        ring.Producer = PaperRing.Size + 24;
        var error = Assert.Throws<InvalidOperationException>(() => reader.TryRead(out _));
        Assert.Contains("another reader", error.Message);
    }

    private static ulong Sequence(RingRecord record) => BinaryPrimitives.ReadUInt64LittleEndian(record.Data);
}
