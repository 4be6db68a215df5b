namespace Maplog.Log;

/// <summary>
/// One array per size asked for, lent again and again: Marten takes a payload as a whole array only. The sizes of a map's
/// changes are few (key and value have fixed sizes, comm at most 15), so this soon allocates nothing.
/// </summary>
internal sealed class ExactArrays
{
    private const int MostBytes = 32 * 1024 * 1024;
    private readonly Dictionary<int, byte[]> _bySize = [];
    private long _bytes;

    /// <summary>The array of this size, valid until the same size is asked for again.</summary>
    public byte[] Get(int size)
    {
        if (_bySize.TryGetValue(size, out var array))
            return array;
        array = GC.AllocateUninitializedArray<byte>(size);
        if (_bytes + size > MostBytes)
        {
            _bySize.Clear();
            _bytes = 0;
        }
        _bySize.Add(size, array);
        _bytes += size;
        return array;
    }
}
