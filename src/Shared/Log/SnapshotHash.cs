using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Maplog.Log;

/// <summary>
/// The hash of a snapshot: SHA-256 over "maplog snapshot 1", the stream's name, and as 8 bytes big-endian each its version,
/// epoch, time (microseconds), the version of its map_opened, type, key size, value size, most entries, flags and CPUs of the
/// map, entries and chunks; then the SHA-256 of each chunk in order. A chunk is hashed alone, so that it can be used before
/// the next one has come.
/// </summary>
internal static class SnapshotHash
{
    public static byte[] Of(Snapshot snapshot, long entries, IReadOnlyList<byte[]> chunks)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("maplog snapshot 1"u8);
        hash.AppendData(Encoding.UTF8.GetBytes(snapshot.Stream.ToString()));
        var shape = snapshot.Shape;
        Span<byte> number = stackalloc byte[8];
        foreach (var value in (ReadOnlySpan<long>)[
            snapshot.Version.Value, snapshot.Epoch.Value, snapshot.Time.UtcTicks / TimeSpan.TicksPerMicrosecond, snapshot.Opened.Version.Value,
            shape.Type, shape.KeySize, shape.ValueSize, shape.MaxEntries, shape.Flags, shape.PossibleCpus, entries, chunks.Count])
        {
            BinaryPrimitives.WriteInt64BigEndian(number, value);
            hash.AppendData(number);
        }
        foreach (var chunk in chunks)
            hash.AppendData(chunk);
        return hash.GetHashAndReset();
    }
}
