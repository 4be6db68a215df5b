using System.Buffers.Binary;
using System.IO.Hashing;
using Maplog.Btf;
using Maplog.Events;
using Maplog.Folding;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// What the log has of a captured map: its keys, and of each value as much as tells it from any other. That is a digest where the
/// value is longer, so that the memory a map takes here does not grow with its values; seals are made of the same digests. Of a
/// per-CPU map it is the value, for a program changes one CPU's part of it.
/// </summary>
internal sealed class KnownContent
{
    private readonly MapShape _shape;
    private readonly bool _isDigested;
    private readonly VolatileBytes? _volatile;
    private byte[] _settled = [], _other = [];
    // Of all entries, kept as they change: a seal has no need to go over them.
    private ContentDigest _all;

    /// <summary>Nothing is known yet.</summary>
    /// <param name="shape">The map's shape.</param>
    /// <param name="volatileBytes">Bytes of the values that do not count in <see cref="Holds"/>; null: all count.</param>
    public KnownContent(MapShape shape, VolatileBytes? volatileBytes = null)
        : this(shape, new MapFold(shape.KeySize, SizeOf(shape, volatileBytes), stays: true), volatileBytes)
    {
    }

    private KnownContent(MapShape shape, MapFold entries, VolatileBytes? volatileBytes)
    {
        _volatile = volatileBytes;
        _shape = shape;
        _all = ContentDigest.ForFolded(shape);
        _isDigested = IsDigested(shape);
        Entries = entries;
    }

    /// <summary>What a stream comes to; the fold is this one's from now on.</summary>
    public static KnownContent Of(MapFold fold, MapShape shape, VolatileBytes? volatileBytes = null)
    {
        if (!IsDigested(shape))
            return new KnownContent(shape, fold, volatileBytes);
        var content = new KnownContent(shape, volatileBytes);
        foreach (var entry in fold)
        {
            var known = content.Entries.FindOrAdd(entry.Key, out _);
            (known.Stamp, known.Tag) = (entry.Stamp, entry.Tag);
            content.Put(known, entry.Value);
        }
        return content;
    }

    /// <summary>Whose values are for <see cref="Holds"/> and <see cref="Put"/>, but of a per-CPU map, and whose entries go by <see cref="Remove"/>.</summary>
    public MapFold Entries { get; }

    /// <summary>Whether the entry has this value, volatile bytes aside.</summary>
    public bool Holds(FoldEntry entry, ReadOnlySpan<byte> value)
    {
        if (_volatile is null)
            return HoldsWhole(entry, value);
        var settled = Settled(value, ref _settled);
        return _isDigested
            ? BinaryPrimitives.ReadUInt64LittleEndian(entry.Value[ContentDigest.Size..]) == XxHash3.HashToUInt64(settled)
            : Settled(entry.Value, ref _other).SequenceEqual(settled);
    }

    /// <summary>Whether the entry has exactly this value.</summary>
    public bool HoldsWhole(FoldEntry entry, ReadOnlySpan<byte> value) => _isDigested
        ? DigestOf(entry) == _all.Of(entry.Key, value)
        : entry.Value.SequenceEqual(value);

    public void Put(FoldEntry entry, ReadOnlySpan<byte> value)
    {
        if (!_isDigested)
        {
            value.CopyTo(entry.Value);
            return;
        }
        var digest = _all.Of(entry.Key, value);
        _all.Remove(DigestOf(entry));
        _all.Add(digest);
        BinaryPrimitives.WriteUInt128LittleEndian(entry.Value, digest);
        if (_volatile is not null)
            BinaryPrimitives.WriteUInt64LittleEndian(entry.Value[ContentDigest.Size..], XxHash3.HashToUInt64(Settled(value, ref _settled)));
    }

    /// <summary>Removes an entry that was just found or enumerated.</summary>
    public void Remove(FoldEntry entry)
    {
        if (_isDigested)
            _all.Remove(DigestOf(entry));
        Entries.Remove(entry);
    }

    public ContentDigest Digest() => _isDigested ? _all : ContentDigest.Of(Entries, _shape);

    // The value with zeros for its volatile bytes.
    private ReadOnlySpan<byte> Settled(ReadOnlySpan<byte> value, ref byte[] room)
    {
        if (room.Length < value.Length)
            room = new byte[value.Length];
        var settled = room.AsSpan(0, value.Length);
        value.CopyTo(settled);
        _volatile!.Clear(settled);
        return settled;
    }

    private static int SizeOf(MapShape shape, VolatileBytes? volatileBytes) =>
        !IsDigested(shape) ? shape.ValueBytes : volatileBytes is null ? ContentDigest.Size : ContentDigest.Size + sizeof(ulong);

    private static UInt128 DigestOf(FoldEntry entry) => BinaryPrimitives.ReadUInt128LittleEndian(entry.Value);

    private static bool IsDigested(MapShape shape) => shape.PossibleCpus == 0 && shape.ValueBytes > ContentDigest.Size;
}
