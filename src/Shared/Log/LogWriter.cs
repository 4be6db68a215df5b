using Maplog.Events;
using Marten.Events;
using Npgsql;

namespace Maplog.Log;

/// <summary>
/// Appends to the streams of one source. A source has one writer at a time; the log's unique (stream, version) is what holds
/// when there are two (<see cref="VersionTakenException"/>). One call at a time.
/// </summary>
public sealed class LogWriter
{
    private readonly LogStore _store;
    private readonly LogReader _reader;
    private readonly BatchEvents _events;
    private readonly Dictionary<string, long> _heads = [];
    private readonly List<BulkEventStreamHeader> _newStreams = [];
    private long _sequence;
    private bool _known;
    private int _busy;

    private LogWriter(LogStore store, string source)
    {
        _store = store;
        _reader = new LogReader(store);
        _events = new BatchEvents(source);
        Source = source;
    }

    public string Source { get; }

    /// <exception cref="LogException">The log cannot be reached, has no schema, or does not know the source.</exception>
    public static async Task<LogWriter> OpenAsync(LogStore store, string source, CancellationToken cancellation = default)
    {
        var writer = new LogWriter(store, source);
        if (!await new LogSchema(store).HasSourceAsync(source, cancellation))
            throw new LogException($"The log at {store.Place} does not know source '{source}': run `maplog source add {source}`.", kind: FailureKind.Mendable);
        await writer.LearnAsync(cancellation);
        return writer;
    }

    /// <summary>
    /// Commits the whole batch, notes and changes of all its streams, or nothing of it. Streams that are new begin to exist with it.
    /// When it fails in any way but <see cref="VersionTakenException"/>, whether it was committed is unknown: send the same
    /// batch again, and a VersionTakenException says that it was (or that there is another writer).
    /// </summary>
    /// <exception cref="VersionTakenException">A version of the batch is in the log already; nothing was appended.</exception>
    /// <exception cref="CommitsLostException">The log ends before what was committed; nothing was appended, and this writer is of no more use.</exception>
    /// <exception cref="LogException">The server failed or cannot be reached; see <see cref="LogException.IsTransient"/>.</exception>
    public async Task AppendAsync(EventBatch batch, CancellationToken cancellation = default)
    {
        if (batch.Count == 0)
            return;
        if (Interlocked.Exchange(ref _busy, 1) != 0)
            throw new InvalidOperationException($"The writer of source {Source} was called during another append: make one call at a time.");
        try
        {
            if (!_known)
                await LearnAsync(cancellation);
            Prepare(batch);
            _known = false;
            await _store.Marten.BulkInsertEventStreamAsync(
                Source, _newStreams, _events.Over(batch, _sequence), BulkEventSequenceMode.PreserveSourceSequence, batch.Count, cancellation);
            _sequence += batch.Count;
            foreach (var range in batch.Streams)
                _heads[range.Stream.Key] = range.Last.Value;
            _known = true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw await CollisionAsync(batch, e, cancellation);
        }
        catch (ObjectDisposedException e) when (e.InnerException is OperationCanceledException && cancellation.IsCancellationRequested)
        {
            // Given up while the server had not answered the COPY: Marten then rolls back a transaction that Npgsql has ended.
            throw new OperationCanceledException(e.Message, e, cancellation);
        }
        catch (Exception e) when (LogException.Explains(e))
        {
            if (e is PostgresException { SqlState: PostgresErrorCodes.QueryCanceled })
                _store.GiveWritesLonger();
            throw LogException.From($"Appending {batch.Count} events to source {Source}", _store, e);
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    // Which streams exist, where they end, and the last sequence number: asked at the start and after each failure,
    // because then it is not known what was committed.
    private async Task LearnAsync(CancellationToken cancellation)
    {
        _sequence = await _reader.ReadSequenceAsync(Source, cancellation);
        var before = _heads.ToList();
        _heads.Clear();
        foreach (var head in await _reader.ReadHeadsAsync(Source, cancellation))
            _heads[head.Stream.ToString()] = head.Version.Value;
        var lost = before.Where(b => _heads.GetValueOrDefault(b.Key) < b.Value).ToDictionary(b => StreamName.Parse(b.Key), b => b.Value - _heads.GetValueOrDefault(b.Key));
        if (lost.Count > 0)
            throw new CommitsLostException(_store.Place, lost);
        _known = true;
    }

    private void Prepare(EventBatch batch)
    {
        _newStreams.Clear();
        foreach (var (stream, first, last) in batch.Streams)
        {
            if (stream.Name.Source != Source)
                throw new ArgumentException($"The writer of source {Source} cannot append to {stream.Key}.", nameof(batch));
            var exists = _heads.TryGetValue(stream.Key, out var head);
            if (first.Value > head + 1)
                throw new ArgumentException($"Appending to {stream.Key} from version {first} would leave a hole after its head {head}.", nameof(batch));
            // Marten's own column for the head is written here and never again: a head is the greatest version in the log.
            if (!exists)
                _newStreams.Add(new BulkEventStreamHeader { Key = stream.Key, Version = last.Value });
        }
    }

    private async Task<LogException> CollisionAsync(EventBatch batch, PostgresException collision, CancellationToken cancellation)
    {
        await LearnAsync(cancellation);
        foreach (var (stream, first, _) in batch.Streams)
            if (_heads.TryGetValue(stream.Key, out var head) && head >= first.Value)
                return new VersionTakenException(stream.Name, first, new StreamVersion(head), collision);
        var some = batch.Streams[0];
        return new VersionTakenException(some.Stream.Name, some.First, new StreamVersion(_heads.GetValueOrDefault(some.Stream.Key)), collision);
    }
}
