using System.Buffers.Binary;
using System.Security.Cryptography;
using Npgsql;

namespace Maplog.Log;

/// <summary>A snapshot's chunks as a binary COPY sends them: each is read straight to where it stays.</summary>
internal sealed class SnapshotRows : IAsyncDisposable
{
    /// <summary>PGCOPY\n\377\r\n\0, then flags and the size of an extension, which is empty.</summary>
    private const int HeaderSize = 19;

    // Two fields, of which the first has four bytes: 2 + (4 + 4) + 4.
    private const int RowHeader = 14;

    private readonly NpgsqlRawCopyStream _copy;
    private readonly Snapshot _snapshot;
    private readonly LogStore _store;
    private readonly byte[] _header = new byte[HeaderSize];
    private bool _begun;
    private int _left;

    private SnapshotRows(NpgsqlRawCopyStream copy, LogStore store, Snapshot snapshot) => (_copy, _store, _snapshot, _left) = (copy, store, snapshot, snapshot.Chunks);

    public static async Task<SnapshotRows> OpenAsync(NpgsqlConnection connection, LogStore store, Snapshot snapshot, CancellationToken cancellation) => new(
        await connection.BeginRawBinaryCopyAsync($"copy (select entries, data from {store.Schema}.snapshot_chunks where snapshot = {snapshot.Number} order by chunk) to stdout (format binary)", cancellation),
        store, snapshot);

    /// <returns>The hash of what was read; null: there was nothing more.</returns>
    public async Task<byte[]?> NextAsync(SnapshotChunk chunk, CancellationToken cancellation)
    {
        if (!_begun)
            await _copy.ReadExactlyAsync(_header, cancellation);
        _begun = true;
        if (await _copy.ReadAtLeastAsync(_header.AsMemory(0, 2), 2, throwOnEndOfStream: false, cancellation) < 2 || BinaryPrimitives.ReadInt16BigEndian(_header) < 0)
            return null;
        await _copy.ReadExactlyAsync(_header.AsMemory(2, RowHeader - 2), cancellation);
        var count = BinaryPrimitives.ReadInt32BigEndian(_header.AsSpan(6));
        var size = BinaryPrimitives.ReadInt32BigEndian(_header.AsSpan(10));
        var shape = _snapshot.Shape;
        if (count < 1 || (long)count * (shape.KeySize + shape.ValueBytes) != size)
            throw new SnapshotDamagedException(_snapshot, $"a chunk of {size} bytes claims to hold {count} entries", _store);
        var data = chunk.Take(size);
        await _copy.ReadExactlyAsync(data, cancellation);
        chunk.Set(count, shape.KeySize);
        _left--;
        return SHA256.HashData(data.Span);
    }

    public async ValueTask DisposeAsync()
    {
        // A reader who leaves early must not be made to wait for all that he did not want.
        if (_left > 0)
            await CopyRows.LeaveAsync(_copy);
        await _copy.DisposeAsync();
    }
}
