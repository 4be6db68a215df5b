using Maplog.Events;
using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>
/// What a capture on the same host must not log again, told to its hook in two pinned maps:
/// <code>
/// writers   hash, key u32 thread group (initial pid namespace), value u64 start in clock ticks since boot
/// replicas  hash, key u32 kernel map id,                        value u64 first 8 bytes of the SHA-256 of its stream's name; 0: see <see cref="Copy"/>
///                 key u32 2^31 + thread group: it is making one, value u64 start in clock ticks since boot
/// </code>
/// Numbers are in this machine's byte order. Whoever comes first makes the maps. When <c>replicas</c> is full, <c>replicas_2</c>
/// follows, and so on: a host may have any number of replicas. A writer's entry goes when it stops; a
/// replica's stays while the map lives, because a replica without a replicator is still no source. A map's id is known only
/// when others can see it already: therefore who makes a replica says so before.
/// </summary>
public sealed class WriterRegistry : IDisposable
{
    /// <summary>The folder in which the maps are pinned.</summary>
    public const string DefaultFolder = $"{Bpffs.Root}/maplog";

    /// <summary>
    /// Maximum of replicator processes on a host; if the capture names no registry, the hook has its own map of this size.
    /// </summary>
    public const int MaxWriters = 1024;

    /// <summary>In place of a stream: a map that a command filled from the log and that no replicator maintains.</summary>
    public const ulong Copy = 0;

    // Map ids and thread groups are positive ints.
    internal const uint Making = 1u << 31;

    private static readonly Lock OneAtATime = new();

    private readonly BpfMap _writers;
    private readonly HeldPin _writersPin;
    private readonly ReplicaTable _replicas;
    private bool _registered;

    private WriterRegistry(string folder, BpfMap writers, ReplicaTable replicas)
    {
        _writers = writers;
        _writersPin = new HeldPin(WritersPin(folder), writers);
        _replicas = replicas;
    }

    /// <summary>Pin of the writers' map, for the hook.</summary>
    public static string WritersPin(string folder) => Path.Combine(folder, "writers");

    /// <summary>Opens the two maps, or creates them.</summary>
    /// <exception cref="KernelException">
    /// This process may not create maps. The check runs even if the maps exist, so that the error appears before the daemon waits for
    /// anything.
    /// </exception>
    public static WriterRegistry Open(string folder = DefaultFolder)
    {
        // Of a kind that the kernel never gives to a process without CAP_BPF, whatever its settings.
        BpfMap.Create("maplog_may", MapType.LruHash, sizeof(uint), sizeof(uint), 1).Dispose();
        Bpffs.EnsureMounted(folder);
        var writers = OpenOrMake(WritersPin(folder), "maplog_writers", MaxWriters, 0);
        try
        {
            return new WriterRegistry(folder, writers, ReplicaTable.Open(Path.Combine(folder, "replicas")));
        }
        catch
        {
            writers.Dispose();
            throw;
        }
    }

    /// <summary>From now on no capture logs this process' changes. Removes the entries of processes and maps that are gone.</summary>
    /// <exception cref="KernelException">More replicators run on this host than <see cref="MaxWriters"/>.</exception>
    public void Register()
    {
        Sweep();
        Span<byte> key = stackalloc byte[sizeof(uint)], value = stackalloc byte[sizeof(ulong)];
        BitConverter.TryWriteBytes(key, ProcessIdentity.Current.Tgid);
        BitConverter.TryWriteBytes(value, ProcessIdentity.Current.StartTicks);
        var errno = _writers.TryUpdate(key, value);
        if (errno == Errno.E2big)
            throw new KernelException($"{_writers.Info.MaxEntries} replicators run on this host, and {_writersPin.Path} has no more room: let one replicator maintain several replicas.", errno);
        if (errno != 0)
            _writers.Update(key, value); // says why not
        _registered = true;
    }

    /// <summary>
    /// Pins the maps again if their pins were removed: otherwise a capture that starts later would create other maps, and log the writes of
    /// this process.
    /// </summary>
    /// <returns>Sentences about the problems; none: nothing has changed.</returns>
    public IReadOnlyList<string> Keep()
    {
        List<string> restored = [];
        IReadOnlyList<string> others = [.. Keep([_writersPin], restored), .. _replicas.Keep(restored)];
        return
        [
            .. restored.Select(p => $"The pin {p}, by which a capture on this host recognises replicas, was gone; it is created again."),
            .. others.Select(p => $"The pin {p}, by which a capture on this host recognises replicas, now leads to another map: a capture that was started since then logs the writes of this replicator. Restart the replicators and then the captures of this host."),
        ];
    }

    /// <summary>From now on this map is a replica, whatever its name.</summary>
    public void AddReplica(uint mapId, StreamName stream) => _replicas.Put(mapId, CursorRecord.HashOf(stream));

    /// <summary>Creates a map that is a replica before any process can take it for something else: see <see cref="IsMaking"/>.</summary>
    public BpfMap MakeReplica(StreamName stream, Func<BpfMap> make) => Make(CursorRecord.HashOf(stream), make);

    /// <summary>
    /// Creates a map that a command fills from the log. The map has the name of its source, and a capture watches it only by its pin or its
    /// id.
    /// </summary>
    public BpfMap MakeCopy(Func<BpfMap> make) => Make(Copy, make);

    private BpfMap Make(ulong what, Func<BpfMap> make)
    {
        lock (OneAtATime)
        {
            var maker = Making | ProcessIdentity.Current.Tgid;
            _replicas.Put(maker, ProcessIdentity.Current.StartTicks);
            try
            {
                var map = make();
                _replicas.Put(map.Info.Id, what);
                return map;
            }
            finally
            {
                _replicas.Remove(maker);
            }
        }
    }

    /// <summary>
    /// Whether a process is creating a replica at this moment. A process that has found a map, then finds no such process, and then reads
    /// the <see cref="Replicas"/>, knows whether the map is a replica.
    /// </summary>
    public bool IsMaking
    {
        get
        {
            var isMaking = false;
            _replicas.Visit((number, what) => isMaking |= number >= Making && IsMaker(number, what));
            return isMaking;
        }
    }

    /// <summary>From now on this map is an ordinary map: it was promoted, or replaced.</summary>
    public void RemoveReplica(uint mapId) => _replicas.Remove(mapId);

    /// <summary>The replicas of this host: the stream of each kernel map id, see <see cref="CursorRecord.HashOf"/>.</summary>
    public IReadOnlyDictionary<uint, ulong> Replicas()
    {
        var replicas = new Dictionary<uint, ulong>();
        _replicas.Visit((number, what) =>
        {
            if (number < Making)
                replicas[number] = what;
        });
        return replicas;
    }

    /// <summary>Whether a map of this kernel belongs to this registry.</summary>
    internal bool Has(MapInfo map) => _replicas.Has(map.Id);

    public void Dispose()
    {
        if (_registered)
            _writers.Delete(BitConverter.GetBytes(ProcessIdentity.Current.Tgid));
        _registered = false;
        _writers.Dispose();
        _replicas.Dispose();
    }

    internal static BpfMap OpenOrMake(string pin, string name, int entries, uint flags)
    {
        if (!File.Exists(pin))
        {
            var made = BpfMap.Create(name, MapType.Hash, sizeof(uint), sizeof(ulong), (uint)entries, flags);
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
        throw new ReplicaException($"The pin {pin} holds {map.Info.Type} '{map.Info.Name}', not the map in which replicators register: remove that pin, and it will be created again.");
    }

    /// <summary>Pins the maps again that are no longer pinned.</summary>
    /// <param name="pins">The pins.</param>
    /// <param name="restored">Receives the paths of the pins that were created again.</param>
    /// <returns>Paths that now lead to something else.</returns>
    internal static IReadOnlyList<string> Keep(IReadOnlyList<HeldPin> pins, List<string> restored)
    {
        List<string> others = [];
        foreach (var pin in pins)
        {
            if (pin.Look())
                continue;
            if (pin.IsThere)
            {
                others.Add(pin.Path);
                continue;
            }
            pin.Restore();
            restored.Add(pin.Path);
        }
        return others;
    }

    internal static bool IsMaker(uint number, ulong start) => new ProcessIdentity(number & ~Making, start).IsAlive;

    // Entries of processes that crashed, and of closed maps: their numbers may be used again.
    private void Sweep()
    {
        List<uint> writers = [], replicas = [];
        byte[] keys = new byte[MaxWriters * sizeof(uint)], values = new byte[MaxWriters * sizeof(ulong)];
        var scan = _writers.Scan(MaxWriters);
        for (int count; (count = scan.Next(keys, values)) > 0;)
        {
            for (var i = 0; i < count; i++)
            {
                var writer = new ProcessIdentity(BitConverter.ToUInt32(keys, i * sizeof(uint)), BitConverter.ToUInt64(values, i * sizeof(ulong)));
                if (!writer.IsAlive)
                    writers.Add(writer.Tgid);
            }
        }
        foreach (var tgid in writers)
            _writers.Delete(BitConverter.GetBytes(tgid));

        Dictionary<uint, ulong> registered = [];
        _replicas.Visit((number, what) => registered[number] = what);
        // In this order: everything registered by now was created before the maps are listed.
        var alive = BpfMap.Ids().ToHashSet();
        foreach (var (number, what) in registered)
        {
            if (number < Making ? !alive.Contains(number) : !IsMaker(number, what))
                replicas.Add(number);
        }
        foreach (var number in replicas)
            _replicas.Remove(number);
    }
}
