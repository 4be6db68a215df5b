using Maplog.Events;
using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>
/// What a capture on the same host must not log again, told to its hook in two pinned maps:
/// <code>
/// writers   hash, key u32 thread group (initial pid namespace), value u64 start in clock ticks since boot
/// replicas  hash, key u32 kernel map id,                        value u64 first 8 bytes of the SHA-256 of its stream's name
///                 key u32 2^31 + thread group: it is making one, value u64 start in clock ticks since boot
/// </code>
/// Numbers are in this machine's byte order. Whoever comes first makes the maps. A writer's entry goes when it stops; a
/// replica's stays while the map lives, because a replica without a replicator is still no source. A map's id is known only
/// when others can see it already: therefore who makes a replica says so before.
/// </summary>
public sealed class WriterRegistry : IDisposable
{
    /// <summary>Where the maps are pinned.</summary>
    public const string DefaultFolder = $"{Bpffs.Root}/maplog";

    public const int MaxEntries = 1024;

    // Map ids and thread groups are positive ints.
    private const uint Making = 1u << 31;

    private static readonly Lock OneAtATime = new();

    private readonly BpfMap _writers;
    private readonly BpfMap _replicas;
    private bool _registered;

    private WriterRegistry(BpfMap writers, BpfMap replicas)
    {
        _writers = writers;
        _replicas = replicas;
    }

    /// <summary>Pin of the writers' map, for the hook.</summary>
    public static string WritersPin(string folder) => Path.Combine(folder, "writers");

    /// <summary>Opens the two maps, or makes them.</summary>
    /// <exception cref="KernelException">This process may not make maps. Whether the two are there already is no matter: it is known before anything is waited for.</exception>
    public static WriterRegistry Open(string folder = DefaultFolder)
    {
        // Of a kind that the kernel gives to nobody without CAP_BPF, however it is set.
        BpfMap.Create("maplog_may", MapType.LruHash, sizeof(uint), sizeof(uint), 1).Dispose();
        Bpffs.EnsureMounted(folder);
        var writers = OpenOrMake(WritersPin(folder), "maplog_writers");
        try
        {
            return new WriterRegistry(writers, OpenOrMake(Path.Combine(folder, "replicas"), "maplog_replicas"));
        }
        catch
        {
            writers.Dispose();
            throw;
        }
    }

    /// <summary>From now on this process' changes are nobody's to log.</summary>
    public void Register()
    {
        Sweep(_writers, (tgid, start) => new ProcessIdentity(tgid, start).IsAlive);
        Put(_writers, ProcessIdentity.Current.Tgid, ProcessIdentity.Current.StartTicks);
        _registered = true;
    }

    /// <summary>From now on this map is a replica, whatever its name.</summary>
    public void AddReplica(uint mapId, StreamName stream)
    {
        Sweep(_replicas, (number, what) => number == mapId || (number < Making ? Exists(number) : IsMaker(number, what)));
        Put(_replicas, mapId, CursorRecord.HashOf(stream));
    }

    /// <summary>Makes a map that is a replica before anybody can take it for another: see <see cref="IsMaking"/>.</summary>
    public BpfMap MakeReplica(StreamName stream, Func<BpfMap> make)
    {
        lock (OneAtATime)
        {
            var maker = Making | ProcessIdentity.Current.Tgid;
            Put(_replicas, maker, ProcessIdentity.Current.StartTicks);
            try
            {
                var map = make();
                AddReplica(map.Info.Id, stream);
                return map;
            }
            finally
            {
                Remove(_replicas, maker);
            }
        }
    }

    /// <summary>
    /// Whether a process is making a replica at this moment. Who has seen a map, then no such process, and then asks for the
    /// <see cref="Replicas"/>, knows whether the map is one.
    /// </summary>
    public bool IsMaking
    {
        get
        {
            var isMaking = false;
            Visit(_replicas, (number, what) => isMaking |= number >= Making && IsMaker(number, what));
            return isMaking;
        }
    }

    /// <summary>From now on this map is a map like any other: it is promoted, or was replaced.</summary>
    public void RemoveReplica(uint mapId) => Remove(_replicas, mapId);

    /// <summary>The replicas of this host: by kernel map id what stream they follow, see <see cref="CursorRecord.HashOf"/>.</summary>
    public IReadOnlyDictionary<uint, ulong> Replicas()
    {
        var replicas = new Dictionary<uint, ulong>();
        Visit(_replicas, (number, what) =>
        {
            if (number < Making)
                replicas[number] = what;
        });
        return replicas;
    }

    public void Dispose()
    {
        if (_registered)
            Remove(_writers, ProcessIdentity.Current.Tgid);
        _registered = false;
        _writers.Dispose();
        _replicas.Dispose();
    }

    private static BpfMap OpenOrMake(string pin, string name)
    {
        if (!File.Exists(pin))
        {
            var made = BpfMap.Create(name, MapType.Hash, sizeof(uint), sizeof(ulong), MaxEntries);
            try
            {
                made.Pin(pin);
                return made;
            }
            catch (KernelException e) when (e.Errno == Errno.Eexist)
            {
                made.Dispose(); // another process was faster
            }
            catch
            {
                made.Dispose();
                throw;
            }
        }
        var map = BpfMap.OpenPinned(pin);
        if (map.Info is { Type: MapType.Hash, KeySize: sizeof(uint), ValueSize: sizeof(ulong) })
            return map;
        map.Dispose();
        throw new ReplicaException($"The pin {pin} holds {map.Info.Type} '{map.Info.Name}', not the map in which replicators register: remove that pin, and it will be made anew.");
    }

    private static void Put(BpfMap map, uint number, ulong what)
    {
        Span<byte> key = stackalloc byte[sizeof(uint)], value = stackalloc byte[sizeof(ulong)];
        BitConverter.TryWriteBytes(key, number);
        BitConverter.TryWriteBytes(value, what);
        map.Update(key, value);
    }

    private static void Remove(BpfMap map, uint number)
    {
        Span<byte> key = stackalloc byte[sizeof(uint)];
        BitConverter.TryWriteBytes(key, number);
        map.Delete(key);
    }

    private static bool IsMaker(uint number, ulong start) => new ProcessIdentity(number & ~Making, start).IsAlive;

    // Entries of processes that died without a word, and of maps that are gone: their numbers may come again.
    private static void Sweep(BpfMap map, Func<uint, ulong, bool> isAlive)
    {
        var dead = new List<uint>();
        Visit(map, (number, start) =>
        {
            if (!isAlive(number, start))
                dead.Add(number);
        });
        foreach (var number in dead)
            Remove(map, number);
    }

    private static void Visit(BpfMap map, Action<uint, ulong> visit)
    {
        var keys = new byte[MaxEntries * sizeof(uint)];
        var values = new byte[MaxEntries * sizeof(ulong)];
        var scan = map.Scan(MaxEntries);
        for (int count; (count = scan.Next(keys, values)) > 0;)
        {
            for (var i = 0; i < count; i++)
                visit(BitConverter.ToUInt32(keys, i * sizeof(uint)), BitConverter.ToUInt64(values, i * sizeof(ulong)));
        }
    }

    private static bool Exists(uint mapId)
    {
        try
        {
            BpfMap.OpenById(mapId, MapAccess.Read).Dispose();
            return true;
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            return false;
        }
        catch (KernelException e) when (e.Errno is Errno.Eperm)
        {
            return true; // it is there, but not ours to open
        }
    }
}
