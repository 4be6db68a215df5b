using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Maplog.Events;

/// <summary>
/// The hash of a range of a stream's events, chained to the range before: SHA-256 over the previous seal's hash (32 zeros
/// before the first), then of each event version, time, kind, size and data. A change's data is its payload; a note's its
/// JSON with the names in order and without blanks, because Postgres keeps jsonb in an order of its own. A seal is the first
/// event of the range after its own.
/// </summary>
public sealed class SealChain : IDisposable
{
    private const int HeaderSize = 8 + 8 + 1 + 4;
    private static readonly byte[] Nothing = new byte[SHA256.HashSizeInBytes];
    // What JsonSerializer escapes of text that stands in JSON without an escape: the form of the seals that there are.
    private static readonly SearchValues<byte> Escaped = SearchValues.Create("&'+<>`\x7f"u8);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _header = new byte[HeaderSize];

    /// <param name="after">The last version sealed; 0: none.</param>
    /// <param name="previous">That seal's hash; null: none.</param>
    public SealChain(StreamVersion after = default, byte[]? previous = null) => Begin(after, previous ?? Nothing);

    /// <summary>The last version taken.</summary>
    public StreamVersion Last { get; private set; }

    /// <summary>The first version of the range at hand.</summary>
    public StreamVersion First { get; private set; }

    /// <summary>Changes in the range at hand.</summary>
    public long Changes { get; private set; }

    /// <param name="version">The version after <see cref="Last"/>.</param>
    /// <param name="time">As stored; what is beyond whole microseconds does not count.</param>
    /// <param name="kind">What kind of event.</param>
    /// <param name="data">A change's payload, or a note's JSON.</param>
    public void Take(StreamVersion version, DateTimeOffset time, EventKind kind, ReadOnlySpan<byte> data)
    {
        if (version != Last.Next)
            throw new ArgumentException($"Version {version} cannot follow {Last} in a chain of seals.", nameof(version));
        if (!kind.IsChange())
            data = Canonical(data);
        else
            Changes++;
        BinaryPrimitives.WriteInt64BigEndian(_header, version.Value);
        BinaryPrimitives.WriteInt64BigEndian(_header.AsSpan(8), time.UtcTicks / TimeSpan.TicksPerMicrosecond);
        _header[16] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(_header.AsSpan(17), data.Length);
        _hash.AppendData(_header);
        _hash.AppendData(data);
        Last = version;
    }

    /// <summary>Closes the range at hand, from <see cref="First"/> to <see cref="Last"/>, and begins the next.</summary>
    public Sealed Seal(Epoch epoch)
    {
        var hash = _hash.GetHashAndReset();
        var seal = new Sealed(epoch.Value, First.Value, Last.Value, hash);
        Begin(Last, hash);
        return seal;
    }

    public void Dispose() => _hash.Dispose();

    private void Begin(StreamVersion after, byte[] previous)
    {
        Last = after;
        First = after.Next;
        Changes = 0;
        _hash.AppendData(previous);
    }

    private static byte[] Canonical(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        var text = new StringBuilder();
        Write(JsonElement.ParseValue(ref reader), text);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(JsonElement element, StringBuilder text)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                foreach (var property in element.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal))
                {
                    text.Append(JsonSerializer.Serialize(property.Name)).Append(':');
                    Write(property.Value, text);
                    text.Append(',');
                }
                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (var item in element.EnumerateArray())
                {
                    Write(item, text);
                    text.Append(',');
                }
                text.Append(']');
                break;
            case JsonValueKind.String:
                WriteString(element, text);
                break;
            default:
                text.Append(element.GetRawText());
                break;
        }
    }

    // Most of a note may be the base64 of its map's BTF: text without an escape needs no decoding, and few characters need one.
    private static void WriteString(JsonElement element, StringBuilder text)
    {
        var raw = JsonMarshal.GetRawUtf8Value(element);
        if (raw.Contains((byte)'\\') || !Ascii.IsValid(raw))
        {
            text.Append(JsonSerializer.Serialize(element.GetString()));
            return;
        }
        raw = raw[1..^1];
        text.Append('"');
        for (int next; (next = raw.IndexOfAny(Escaped)) >= 0; raw = raw[(next + 1)..])
        {
            text.Append(Encoding.ASCII.GetString(raw[..next]));
            text.Append($"\\u00{raw[next]:X2}");
        }
        text.Append(Encoding.ASCII.GetString(raw)).Append('"');
    }
}
