using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Maplog.Events;
using Npgsql;

namespace Maplog.Log;

/// <summary>
/// Reads events by a binary COPY and takes its rows apart in place: about half the work of a data reader, and no object per row.
/// A row is four fields: version (int8), time (timestamptz), type (varchar), data (bytea).
/// </summary>
internal static class CopyRows
{
    private const int BufferSize = 256 * 1024;

    /// <summary>PGCOPY\n\377\r\n\0, then flags and the size of an extension, which is empty.</summary>
    private const int HeaderSize = 19;
    private static readonly long Epoch2000 = new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    /// <param name="connection">An open connection, which this takes over until the last row.</param>
    /// <param name="select">The query, without parameters: COPY takes none.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public static async IAsyncEnumerable<EventPage> ReadAsync(NpgsqlConnection connection, string select, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var page = new EventPage();
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        var copy = await connection.BeginRawBinaryCopyAsync($"copy ({select}) to stdout (format binary)", cancellation);
        var ended = false;
        try
        {
            var filled = 0;
            var at = HeaderSize;
            while (!ended)
            {
                while (filled < buffer.Length)
                {
                    var read = await copy.ReadAsync(buffer.AsMemory(filled), cancellation);
                    if (read == 0)
                    {
                        ended = true;
                        break;
                    }
                    filled += read;
                }

                page.Clear();
                while (TryRow(buffer, filled, ref at, out var row))
                    page.Add(row);
                if (page.Count > 0)
                    yield return page;

                // What is left is the beginning of a row; a row that fills the whole buffer needs a larger one.
                var rest = buffer.AsSpan(at, filled - at);
                if (page.Count == 0 && !ended && at == 0)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    rest.CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
                else
                {
                    rest.CopyTo(buffer);
                }
                filled -= at;
                at = 0;
            }
        }
        finally
        {
            // A reader who leaves early must not be made to wait for all the rows that he did not want.
            if (!ended)
                await copy.CancelAsync();
            await copy.DisposeAsync();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool TryRow(byte[] buffer, int filled, ref int at, out LoggedEvent row)
    {
        row = default;
        var rest = buffer.AsSpan(at, Math.Max(0, filled - at));
        // field count, then size and bytes of each: 2 + (4 + 8) + (4 + 8) + 4 are of a known size
        if (rest.Length < 30)
            return false;
        var typeSize = BinaryPrimitives.ReadInt32BigEndian(rest[26..]);
        if (rest.Length < 30 + typeSize + 4)
            return false;
        var dataSize = BinaryPrimitives.ReadInt32BigEndian(rest[(30 + typeSize)..]);
        var dataAt = 30 + typeSize + 4;
        if (rest.Length < dataAt + dataSize)
            return false;
        var microseconds = BinaryPrimitives.ReadInt64BigEndian(rest[18..]);
        row = new LoggedEvent(
            new StreamVersion(BinaryPrimitives.ReadInt64BigEndian(rest[6..])),
            new DateTimeOffset(Epoch2000 + microseconds * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero),
            EventNames.Kind(rest.Slice(30, typeSize)),
            buffer.AsMemory(at + dataAt, dataSize));
        at += dataAt + dataSize;
        return true;
    }
}
