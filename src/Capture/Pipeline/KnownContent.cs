using System.Buffers.Binary;
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
    // Of all entries, kept as they change: a seal has no need to go over them.
    private ContentDigest _all;

    /// <summary>Nothing is known yet.</summary>
    public KnownContent(MapShape shape)
        : this(shape, new MapFold(shape.KeySize, IsDigested(shape) ? ContentDigest.Size : shape.ValueBytes, stays: true))
    {
    }

    private KnownContent(MapShape shape, MapFold entries)
    {
        _shape = shape;
        _all = ContentDigest.ForFolded(shape);
        _isDigested = IsDigested(shape);
        Entries = entries;
    }

    /// <summary>What a stream comes to; the fold is this one's from now on.</summary>
    public static KnownContent Of(MapFold fold, MapShape shape)
    {
        if (!IsDigested(shape))
            return new KnownContent(shape, fold);
        var content = new KnownContent(shape);
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

    public bool Holds(FoldEntry entry, ReadOnlySpan<byte> value) => _isDigested
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
    }

    /// <summary>Removes an entry that was just found or enumerated.</summary>
    public void Remove(FoldEntry entry)
    {
        if (_isDigested)
            _all.Remove(DigestOf(entry));
        Entries.Remove(entry);
    }

    public ContentDigest Digest() => _isDigested ? _all : ContentDigest.Of(Entries, _shape);

    private static UInt128 DigestOf(FoldEntry entry) => BinaryPrimitives.ReadUInt128LittleEndian(entry.Value);

    private static bool IsDigested(MapShape shape) => shape.PossibleCpus == 0 && shape.ValueBytes > ContentDigest.Size;
}
