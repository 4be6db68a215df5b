using System.Runtime.InteropServices;
using Maplog.Kernel;

namespace Maplog.Walking;

/// <summary>
/// Walks over one map, element by element as they lie in the kernel's memory, and gives the entries that differ from what the last
/// walk saw. It holds no descriptor of the map: whoever calls <see cref="Continue"/> does, so that the memory stays the map's.
/// For one thread at a time.
/// </summary>
public sealed unsafe class LinearWalk : IDisposable
{
    private const int MaxRoom = 16384, MaxRoomBytes = 4 << 20;

    private readonly BpfObject _image;
    private readonly BpfProgram _program;
    private readonly BpfMap _foundMap, _seenMap;
    private readonly MappedArray<ulong> _found, _seen;
    private readonly MapInfo _map;
    private readonly WalkShape _shape;
    private readonly int _room;
    private WalkCall _call;

    private LinearWalk(BpfObject image, MapInfo map, in WalkShape shape, ulong elements, int room)
    {
        (_image, _map, _shape, _room) = (image, map, shape, room);
        _program = image.Program(WalkImage.Walk);
        _foundMap = image.Map(WalkImage.Found);
        _seenMap = image.Map(WalkImage.Seen);
        _found = MappedArray<ulong>.OfWords(_foundMap);
        _seen = MappedArray<ulong>.OfWords(_seenMap);
        _call.Elements = elements;
    }

    /// <summary>Elements of the map in memory, with an entry or without.</summary>
    public int Elements => (int)_shape.Elements;

    /// <summary>Entries that were found and not taken yet.</summary>
    public int Found => (int)_call.Found;

    /// <summary>Entries that can be found before they are taken.</summary>
    public int Room => _room;

    public bool IsAtEnd => _call.From >= _shape.Elements;

    /// <summary>Entries that the map holds, as far as this walk has come.</summary>
    public int Live { get; private set; }

    /// <summary>Loads the walk for a map.</summary>
    /// <param name="map">The map.</param>
    /// <param name="place">Where its elements lie.</param>
    /// <param name="counted">The bits of its values that count; null: all.</param>
    /// <param name="hasCast">Whether the kernel has bpf_rdonly_cast().</param>
    /// <param name="kernelBtf">A file with the kernel's BTF; null: the kernel's own.</param>
    /// <exception cref="KernelException">This kernel cannot walk like this.</exception>
    internal static LinearWalk Load(MapInfo map, in WalkPlace place, byte[]? counted, bool hasCast, string? kernelBtf = null)
    {
        var elements = WalkShape.ElementsOf(map);
        var shape = WalkShape.Of(map, place.ElementSize, counted, hasCast, 0);
        var bytes = (uint)shape.WordsOfEntry * sizeof(ulong);
        var room = (int)Math.Max(1, Math.Min(Math.Min(MaxRoom, elements), MaxRoomBytes / bytes));
        shape.Room = (uint)room;
        var image = WalkImage.Open(WalkImage.Walk, kernelBtf);
        try
        {
            image.SetMaxEntries(WalkImage.Seen, elements);
            image.SetMaxEntries(WalkImage.Found, (uint)room);
            image.SetValueSize(WalkImage.Found, bytes);
            image.SetRodata(WalkShape.BytesOf(shape));
            image.Load();
            return new LinearWalk(image, map, shape, place.Elements, room);
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <summary>Begins at the first element.</summary>
    /// <param name="all">Whether every entry is given, whatever was seen before.</param>
    public void Begin(bool all = false)
    {
        _call = new WalkCall { Elements = _call.Elements, All = all ? 1u : 0 };
        Live = 0;
    }

    /// <summary>Looks at the next elements. The map must be open, and be the one for which the walk was made.</summary>
    /// <param name="open">The map.</param>
    /// <param name="elements">At most so many.</param>
    /// <returns>False: there is no room for another entry; take those that were found.</returns>
    public bool Continue(BpfMap open, int elements)
    {
        if (open.Info.Id != _map.Id)
            throw new ArgumentException($"A walk over map {_map.Name} (id {_map.Id}) cannot go on in {open}.", nameof(open));
        var wanted = Math.Min((uint)elements, _shape.Elements - _call.From);
        _call.Count = wanted;
        _program.Call(ref _call);
        var looked = _call.Next - _call.From;
        _call.From = _call.Next;
        Live += (int)_call.Live;
        return looked == wanted;
    }

    /// <summary>Copies what was found into the caller's arrays, and has room again.</summary>
    /// <param name="keys">Room for the keys, end to end.</param>
    /// <param name="values">Room for the values, end to end.</param>
    /// <param name="places">Room for the numbers of the elements.</param>
    /// <returns>Entries.</returns>
    public int Take(Span<byte> keys, Span<byte> values, Span<int> places)
    {
        var count = Found;
        for (var i = 0; i < count; i++)
        {
            ref var entry = ref _found[i * _shape.WordsOfEntry];
            var words = MemoryMarshal.CreateReadOnlySpan(ref entry, _shape.WordsOfEntry);
            var body = MemoryMarshal.AsBytes(words[1..]);
            places[i] = (int)words[0];
            // An array's key is the number of the element.
            var key = _shape.KeyWords > 0 ? body : MemoryMarshal.AsBytes(words);
            key[.._map.KeySize].CopyTo(keys[(i * _map.KeySize)..]);
            body.Slice((int)_shape.KeyWords * sizeof(ulong), _map.ValueSize).CopyTo(values[(i * _map.ValueSize)..]);
        }
        _call.Found = 0;
        return count;
    }

    /// <summary>Forgets what was seen at an element: the next walk gives its entry again.</summary>
    public void Forget(int place) => Volatile.Write(ref _seen[place], 0);

    public void Dispose()
    {
        _found.Unmap();
        _seen.Unmap();
        _foundMap.Dispose();
        _seenMap.Dispose();
        _image.Dispose();
    }
}
