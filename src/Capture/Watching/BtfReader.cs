using Maplog.Btf;
using Maplog.Events;
using Maplog.Kernel;

namespace Maplog.Capture.Watching;

/// <summary>
/// Reads the BTF of maps. The kernel frees BTF with the last map or program that uses it, so a missing one is no error. Equal BTF is
/// kept once: a program that is loaded again and again brings the same bytes under another id each time.
/// </summary>
internal sealed class BtfReader
{
    private const int MaxKept = 8, MaxKeptBytes = 4 << 20;

    private readonly Queue<(uint Id, byte[] Bytes)> _kept = [];
    private long _keptBytes;
    private MapOpened? _described;
    private (MapOpened Of, KernelBytes? Bytes)? _owned;

    /// <returns>The raw BTF; null: the map has none, or it is gone, or this process may not read it.</returns>
    public byte[]? Read(uint id)
    {
        if (id == 0)
            return null;
        foreach (var kept in _kept)
        {
            if (kept.Id == id)
                return kept.Bytes;
        }
        if (MapBtf.TryRead(id, out _) is not { } read)
            return null;
        foreach (var kept in _kept)
        {
            if (kept.Bytes.AsSpan().SequenceEqual(read))
                read = kept.Bytes;
        }
        Keep(id, read);
        return read;
    }

    /// <summary>Adds the fields that the BTF gives. A map that is made again and again has its BTF parsed once.</summary>
    public MapOpened Describe(MapOpened opened) =>
        _described = opened with { Fields = HasSameTypes(_described, opened) ? _described!.Fields : FieldTypes.Of(opened) };

    /// <summary>The bytes of the map's values that the kernel owns; parsed once for a map that is made again and again.</summary>
    public KernelBytes? KernelBytesOf(MapOpened opened)
    {
        if (!HasSameTypes(_owned?.Of, opened))
            _owned = (opened, KernelBytes.Of(opened.Btf, opened.BtfValueType, opened.Shape));
        return _owned!.Value.Bytes;
    }

    private static bool HasSameTypes(MapOpened? last, MapOpened opened) =>
        last is not null && ReferenceEquals(last.Btf, opened.Btf) && last.Shape == opened.Shape
        && last.BtfKeyType == opened.BtfKeyType && last.BtfValueType == opened.BtfValueType;

    private void Keep(uint id, byte[] bytes)
    {
        _kept.Enqueue((id, bytes));
        _keptBytes += bytes.Length;
        while (_kept.Count > MaxKept || _keptBytes > MaxKeptBytes && _kept.Count > 0)
            _keptBytes -= _kept.Dequeue().Bytes.Length;
    }
}
