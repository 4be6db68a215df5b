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
    /// <returns>Pages; while one is looked at, the next is read and taken apart.</returns>
    public static async IAsyncEnumerable<EventPage> ReadAsync(NpgsqlConnection connection, string select, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var copy = await connection.BeginRawBinaryCopyAsync($"copy ({select}) to stdout (format binary)", cancellation);
        Part part = new(HeaderSize), next = new(0);
        var filling = FillAsync(copy, part, cancellation);
        try
        {
            while (true)
            {
                await filling;
                var filled = next;
                filled.GoOnFrom(part);
                // Not the variable that is about to change its meaning.
                filling = part.IsLast ? Task.CompletedTask : Task.Run(() => FillAsync(copy, filled, cancellation), CancellationToken.None);
                if (part.Page.Count > 0)
                    yield return part.Page;
                if (part.IsLast)
                    break;
                (part, next) = (next, part);
            }
        }
        finally
        {
            await filling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // A reader who leaves early must not be made to wait for all the rows that he did not want.
            if (!part.IsLast && !next.IsLast)
                await LeaveAsync(copy);
            await copy.DisposeAsync();
            part.Return();
            next.Return();
        }
    }

    /// <summary>Ends a copy before its end.</summary>
    internal static async Task LeaveAsync(NpgsqlRawCopyStream copy)
    {
        try
        {
            await copy.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It ended with its connection; what reading it threw says why, and must not be hidden by this.
        }
    }

    private static async Task FillAsync(NpgsqlRawCopyStream copy, Part part, CancellationToken cancellation)
    {
        while (part.Filled < part.Buffer.Length)
        {
            var read = await copy.ReadAsync(part.Buffer.AsMemory(part.Filled), cancellation);
            if (read == 0)
            {
                part.IsLast = true;
                break;
            }
            part.Filled += read;
        }
        while (TryRow(part.Buffer, part.Filled, ref part.At, out var row))
            part.Page.Add(row);
    }

    /// <summary>A buffer, the rows that are whole in it, and where the rest begins.</summary>
    private sealed class Part(int at)
    {
        public int At = at;

        public byte[] Buffer { get; private set; } = ArrayPool<byte>.Shared.Rent(BufferSize);

        public EventPage Page { get; } = new();

        public int Filled { get; set; }

        public bool IsLast { get; set; }

        /// <summary>Takes over what is left: the beginning of a row. A row that fills the whole buffer needs a larger one.</summary>
        public void GoOnFrom(Part before)
        {
            var rest = before.Buffer.AsSpan(before.At, Math.Max(0, before.Filled - before.At));
            var wanted = before.Page.Count == 0 ? Math.Max(Buffer.Length, before.Buffer.Length * 2) : Math.Max(Buffer.Length, rest.Length + BufferSize / 2);
            if (wanted > Buffer.Length)
            {
                Return();
                Buffer = ArrayPool<byte>.Shared.Rent(wanted);
            }
            rest.CopyTo(Buffer);
            Page.Clear();
            (At, Filled) = (0, rest.Length);
        }

        public void Return()
        {
            ArrayPool<byte>.Shared.Return(Buffer);
            Buffer = [];
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
