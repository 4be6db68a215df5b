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
    private ContentDigest _digest;

    /// <summary>Nothing is known yet.</summary>
    public KnownContent(MapShape shape)
        : this(shape, new MapFold(shape.KeySize, IsDigested(shape) ? ContentDigest.Size : shape.ValueBytes))
    {
    }

    private KnownContent(MapShape shape, MapFold entries)
    {
        _shape = shape;
        _digest = ContentDigest.ForFolded(shape);
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

    /// <summary>Whose values are for <see cref="Holds"/> and <see cref="Put"/>, but of a per-CPU map.</summary>
    public MapFold Entries { get; }

    public bool Holds(FoldEntry entry, ReadOnlySpan<byte> value) => _isDigested
        ? BinaryPrimitives.ReadUInt128LittleEndian(entry.Value) == _digest.Of(entry.Key, value)
        : entry.Value.SequenceEqual(value);

    public void Put(FoldEntry entry, ReadOnlySpan<byte> value)
    {
        if (_isDigested)
            BinaryPrimitives.WriteUInt128LittleEndian(entry.Value, _digest.Of(entry.Key, value));
        else
            value.CopyTo(entry.Value);
    }

    public ContentDigest Digest()
    {
        if (!_isDigested)
            return ContentDigest.Of(Entries, _shape);
        var all = ContentDigest.ForFolded(_shape);
        foreach (var entry in Entries)
            all.Add(BinaryPrimitives.ReadUInt128LittleEndian(entry.Value));
        return all;
    }

    private static bool IsDigested(MapShape shape) => shape.PossibleCpus == 0 && shape.ValueBytes > ContentDigest.Size;
}
