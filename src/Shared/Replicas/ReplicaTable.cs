using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>
/// The replicas of a host, in as many pinned maps as necessary: <c>PIN</c>, then <c>PIN_2</c>, <c>PIN_3</c> when the earlier ones are full.
/// A map is never replaced by a larger one, because captures and other replicators have it open.
/// </summary>
internal sealed class ReplicaTable : IDisposable
{
    /// <summary>Entries of a map; the kernel allocates them when they are created.</summary>
    public const int Room = 8192;

    /// <summary>The kernel's name of each map.</summary>
    public const string Name = "maplog_replicas";

    private const int Chunk = 1024;

    private readonly string _pin;
    private readonly Lock _lock = new();
    private readonly List<HeldPin> _pins = [];
    private readonly List<BpfMap> _maps = [];

    private ReplicaTable(string pin) => _pin = pin;

    /// <summary>Opens the maps, or creates the first one.</summary>
    public static ReplicaTable Open(string pin)
    {
        var table = new ReplicaTable(pin);
        table.Add();
        return table;
    }

    /// <summary>Creates or changes an entry, in a map with room.</summary>
    public void Put(uint number, ulong what)
    {
        Span<byte> key = stackalloc byte[sizeof(uint)], value = stackalloc byte[sizeof(ulong)];
        BitConverter.TryWriteBytes(key, number);
        BitConverter.TryWriteBytes(value, what);
        lock (_lock)
        {
            FollowOthers();
            foreach (var map in _maps)
            {
                if (map.TryUpdate(key, value, UpdateMode.Exist) == 0)
                    return;
            }
            for (var i = 0; ; i++)
            {
                if (i == _maps.Count)
                    Add();
                var errno = _maps[i].TryUpdate(key, value);
                if (errno == Errno.E2big)
                    continue;
                if (errno != 0)
                    _maps[i].Update(key, value); // says why not
                return;
            }
        }
    }

    public bool Has(uint mapId)
    {
        lock (_lock)
        {
            FollowOthers();
            return _maps.Any(m => m.Info.Id == mapId);
        }
    }

    public void Remove(uint number)
    {
        Span<byte> key = stackalloc byte[sizeof(uint)];
        BitConverter.TryWriteBytes(key, number);
        lock (_lock)
        {
            FollowOthers();
            foreach (var map in _maps)
                map.Delete(key);
        }
    }

    public void Visit(Action<uint, ulong> visit)
    {
        BpfMap[] maps;
        lock (_lock)
        {
            FollowOthers();
            maps = [.. _maps];
        }
        foreach (var map in maps)
            Visit(map, visit);
    }

    /// <summary>Visits the entries of one map of a table.</summary>
    public static void Visit(BpfMap map, Action<uint, ulong> visit)
    {
        byte[] keys = new byte[Chunk * sizeof(uint)], values = new byte[Chunk * sizeof(ulong)];
        var scan = map.Scan(Chunk);
        for (int count; (count = scan.Next(keys, values)) > 0;)
        {
            for (var i = 0; i < count; i++)
                visit(BitConverter.ToUInt32(keys, i * sizeof(uint)), BitConverter.ToUInt64(values, i * sizeof(ulong)));
        }
    }

    /// <summary>Pins the maps again that are no longer pinned.</summary>
    /// <returns>The pins that now lead to other maps.</returns>
    public IReadOnlyList<string> Keep(List<string> restored)
    {
        lock (_lock)
            return WriterRegistry.Keep(_pins, restored);
    }

    public void Dispose()
    {
        foreach (var map in _maps)
            map.Dispose();
    }

    // Another process may have found all maps full.
    private void FollowOthers()
    {
        while (PinPlace.Of(NextPin) is not null)
            Add();
    }

    private void Add()
    {
        var pin = NextPin;
        var map = WriterRegistry.OpenOrMake(pin, Name, Room, MapFlags.NoPreallocation);
        _maps.Add(map);
        _pins.Add(new HeldPin(pin, map));
    }

    private string NextPin => _maps.Count == 0 ? _pin : $"{_pin}_{_maps.Count + 1}";
}
