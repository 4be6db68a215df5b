using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Xunit;

namespace Maplog.Tests.Integration.Log;

public sealed class WritingAndReadingTests(TestPostgres postgres) : IAsyncLifetime
{
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync() => _log = await LogDatabase.MigratedAsync(postgres);

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task What_is_appended_is_read_back_byte_for_byte()
    {
        var random = new Random(7);
        var stream = Made.Stream("lb-1/ct_map");
        var kinds = new[] { EventKind.EntryAdded, EventKind.EntryUpdated, EventKind.EntryDeleted, EventKind.EntryEvicted };
        // Sizes around every border there is: none, a varlena's, a page's, the reader's buffer's, and the largest.
        int[] sizes = [0, 1, 64, 126, 127, 2000, 8192, 100_000, 256 * 1024 - 60, 256 * 1024, 1024 * 1024];
        var written = new List<(EventKind Kind, DateTimeOffset Time, byte[] Payload)>();
        using var batch = new EventBatch();
        foreach (var (size, i) in sizes.Concat(sizes.Reverse()).Select((s, i) => (s, i)))
        {
            var kind = kinds[i % kinds.Length];
            var key = new byte[size == 0 ? 0 : 1 + random.Next(300)];
            var value = new byte[kind.HasValue() ? size : 0];
            random.NextBytes(key);
            random.NextBytes(value);
            var payload = Made.Payload(key, value, i, comm: "comm-of-15-chars"[..(i % 16)]);
            written.Add((kind, Made.Time.AddMicroseconds(i), payload));
            batch.AddChange(stream, new StreamVersion(i + 1), Made.Time.AddMicroseconds(i), kind, payload);
        }

        await (await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel)).AppendAsync(batch, Cancel);

        var read = await _log.ReadAsync(stream.Name);
        Assert.Equal(written.Count, read.Count);
        for (var i = 0; i < read.Count; i++)
        {
            Assert.Equal(new StreamVersion(i + 1), read[i].Version);
            Assert.Equal(written[i].Kind, read[i].Kind);
            Assert.Equal(written[i].Time, read[i].Time);
            Assert.True(written[i].Payload.AsSpan().SequenceEqual(read[i].Data.Span), $"payload {i}");
        }
    }

    [Fact]
    public async Task Notes_come_back_as_they_were()
    {
        var stream = Made.Stream("lb-1/ct_map");
        object[] notes =
        [
            new EpochStarted(3, "node-a", "boot", 9),
            Made.Opened(epoch: 3),
            new GapFound(3, "ring-full", -1, 1, long.MaxValue),
            new Sealed(3, 1, 2, [0xde, 0xad]),
            new MapClosed(3, uint.MaxValue, "boot"),
        ];
        using var batch = new EventBatch();
        for (var i = 0; i < notes.Length; i++)
            batch.AddNote(stream, new StreamVersion(i + 1), Made.Time, notes[i]);
        await (await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel)).AppendAsync(batch, Cancel);

        var read = await _log.ReadAsync(stream.Name);

        Assert.Equal(notes.Select(NoteCodec.KindOf), read.Select(e => e.Kind));
        Assert.Equivalent(notes, read.Select(e => NoteCodec.Read(e.Kind, e.Data.Span)), strict: true);
        Assert.Equivalent(Made.Opened(epoch: 3), (await _log.Reader.ReadLatestAsync<MapOpened>(stream.Name, Cancel))!.Note, strict: true);
        Assert.Equal(new StreamVersion(1), (await _log.Reader.ReadLatestAsync<EpochStarted>(stream.Name, Cancel))!.Version);
        Assert.Null(await _log.Reader.ReadLatestAsync<MapOpened>(new StreamName("lb-1", "other"), Cancel));
        Assert.Equal(new Epoch(3), await _log.Reader.ReadLatestEpochAsync("lb-1", Cancel));
        Assert.Equal(default, await _log.Reader.ReadLatestEpochAsync("lb-2", Cancel));
    }

    [Fact]
    public async Task A_stream_is_read_from_any_version_to_any_other()
    {
        var stream = Made.Stream("lb-1/ct_map");
        var writer = await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel);
        for (var first = 1; first <= 10_000; first += 2_500)
        {
            using var batch = Made.Changes(stream, first, 2_500);
            await writer.AppendAsync(batch, Cancel);
        }

        Assert.Equal(Enumerable.Range(1, 10_000).Select(v => (long)v), (await _log.ReadAsync(stream.Name)).Select(e => e.Version.Value));
        Assert.Equal([10_000L], (await _log.ReadAsync(stream.Name, after: 9_999)).Select(e => e.Version.Value));
        Assert.Equal([5_000L, 5_001L], (await _log.ReadAsync(stream.Name, after: 4_999, upTo: 5_001)).Select(e => e.Version.Value));
        Assert.Empty(await _log.ReadAsync(stream.Name, after: 10_000));
        Assert.Empty(await _log.ReadAsync(new StreamName("lb-1", "nothing")));
        Assert.Empty(await _log.ReadAsync(new StreamName("nobody", "nothing")));
    }

    [Fact]
    public async Task A_reader_may_leave_in_the_middle()
    {
        var stream = Made.Stream("lb-1/ct_map");
        var writer = await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel);
        using (var batch = Made.Changes(stream, 1, 20_000))
            await writer.AppendAsync(batch, Cancel);

        // More often than there are connections in a pool: none may be lost or left in the middle of its answer.
        for (var i = 0; i < 150; i++)
        {
            await foreach (var page in _log.Reader.ReadAsync(stream.Name, cancellation: Cancel))
            {
                Assert.Equal(1, page.First.Value);
                break;
            }
        }

        Assert.Equal(20_000, (await _log.Reader.ReadHeadAsync(stream.Name, Cancel)).Version.Value);
    }

    [Fact]
    public async Task A_connection_that_breaks_while_events_are_read_is_told_as_that()
    {
        var stream = Made.Stream("lb-1/ct_map");
        using (var batch = new EventBatch())
        {
            // More than the sockets hold on the way.
            for (var i = 1; i <= 20_000; i++)
                batch.AddChange(stream, new StreamVersion(i), Made.Time, EventKind.EntryUpdated, Made.Payload(BitConverter.GetBytes(i), new byte[2_000]));
            await (await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel)).AppendAsync(batch, Cancel);
        }
        var failure = await Assert.ThrowsAsync<LogException>(async () =>
        {
            await foreach (var page in _log.Reader.ReadAsync(stream.Name, cancellation: Cancel))
                await _log.QueryAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'copy (select%' and pid <> pg_backend_pid()");
        });
        Assert.True(failure.IsTransient, failure.Message);
    }

    [Fact]
    public async Task A_missing_version_is_named()
    {
        var stream = Made.Stream("lb-1/ct_map");
        using (var batch = Made.Changes(stream, 1, 10))
            await (await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel)).AppendAsync(batch, Cancel);
        await _log.TamperAsync("delete from maplog.mt_events where version = 5");

        var damage = await Assert.ThrowsAsync<LogException>(() => _log.ReadAsync(stream.Name));
        Assert.Contains("versions are missing", damage.Message, StringComparison.Ordinal);
        Assert.False(damage.IsTransient);

        // Pruned from the beginning is not damaged.
        await _log.TamperAsync("delete from maplog.mt_events where version < 5");
        Assert.Equal([6L, 7, 8, 9, 10], (await _log.ReadAsync(stream.Name)).Select(e => e.Version.Value));
    }

    [Fact]
    public async Task Heads_say_where_to_go_on()
    {
        var map = Made.Stream("lb-1/ct_map");
        var other = Made.Stream("lb-1/a_map");
        var writer = await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel);
        using var batch = new EventBatch();
        batch.AddNote(map, new StreamVersion(1), Made.Time, new EpochStarted(7, "node-a", "boot", 9));
        batch.AddNote(map, new StreamVersion(2), Made.Time, Made.Opened(epoch: 7));
        batch.AddChange(map, new StreamVersion(3), Made.Time, EventKind.EntryAdded, Made.Payload([1], [2], position: 4096, epoch: 7));
        batch.AddChange(map, new StreamVersion(4), Made.Time.AddSeconds(1), EventKind.EntryAdded, Made.Payload([2], [2], position: -1, epoch: 7, origin: Origin.Scan));
        batch.AddNote(other, new StreamVersion(1), Made.Time, new EpochStarted(7, "node-a", "boot", 9));
        await writer.AppendAsync(batch, Cancel);

        var head = await _log.Reader.ReadHeadAsync(map.Name, Cancel);
        Assert.Equal(new StreamVersion(4), head.Version);
        Assert.Equal(Made.Time.AddSeconds(1), head.Time);
        Assert.Equal(new Epoch(7), head.Epoch);
        Assert.Equal(new ChangeHeader { Origin = Origin.Scan, Cpu = 3, Tgid = 4711, Epoch = new Epoch(7), KernelTime = 1_000_000_000_000, RingPosition = -1, RecordIndex = 2 }, head.Change);

        var record = await _log.Reader.ReadLastRecordAsync(map.Name, cancellation: Cancel);
        Assert.Equal((3, 4096L), (record!.Value.Version.Value, record.Value.Header.RingPosition));
        Assert.Null(await _log.Reader.ReadLastRecordAsync(map.Name, after: new StreamVersion(3), cancellation: Cancel));

        var heads = await _log.Reader.ReadHeadsAsync("lb-1", Cancel);
        Assert.Equal(["lb-1/a_map", "lb-1/ct_map"], heads.Select(h => h.Stream.ToString()));
        Assert.Equal((EventKind.EpochStarted, new Epoch(7), null), (heads[0].Kind, heads[0].Epoch, heads[0].Change));
        Assert.Empty(await _log.Reader.ReadHeadsAsync("lb-2", Cancel));
        Assert.Equal(StreamVersion.None, (await _log.Reader.ReadHeadAsync(new StreamName("lb-1", "none"), Cancel)).Version);

        var streams = await _log.Reader.ListStreamsAsync(cancellation: Cancel);
        Assert.Equal(["lb-1/a_map", "lb-1/ct_map"], streams.Select(s => s.Stream.ToString()));
        Assert.Null(streams[0].Opened);
        Assert.Equal(42u, streams[1].Opened!.MapId);
        Assert.Empty(await _log.Reader.ListStreamsAsync("lb-2", Cancel));
    }

    [Fact]
    public async Task A_batch_is_used_again_without_remembering()
    {
        var writer = await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel);
        var a = Made.Stream("lb-1/a");
        var b = Made.Stream("lb-1/b");
        using var one = new EventBatch();
        using var two = new EventBatch();
        for (var round = 0; round < 20; round++)
        {
            // Two batches filled in turn, as by a daemon that fills one while the other is under way.
            var batch = round % 2 == 0 ? one : two;
            batch.Clear();
            Made.Add(batch, a, 1 + round * 10, 5);
            Made.Add(batch, b, 1 + round * 3, 3);
            Made.Add(batch, a, 6 + round * 10, 5);
            Assert.Equal([10L, 3L], batch.Streams.Select(s => s.Count));
            await writer.AppendAsync(batch, Cancel);
        }

        Assert.Equal(200, (await _log.ReadAsync(a.Name)).Count);
        Assert.Equal(60, (await _log.ReadAsync(b.Name)).Count);
        Assert.Equal(260L, await _log.QueryAsync("select max(seq_id) from maplog.mt_events"));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
