using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>
/// The registries of this host, in all folders in which they are pinned. A map that a replicator or a command created is not a source, even
/// if its creator uses another folder than the capture. Registries in other folders are found by the name and the shape of their maps.
/// </summary>
/// <param name="own">The registry in the folder of this process; null: this process only reads.</param>
public sealed class HostRegistries(WriterRegistry? own)
{
    // Replaced, never changed: a commit may read it while a search finds another registry.
    private volatile uint[] _further = [];

    /// <summary>Whether a process is creating a replica or a copy at this moment: see <see cref="WriterRegistry.IsMaking"/>.</summary>
    public bool IsMaking
    {
        get
        {
            var isMaking = own is { IsMaking: true };
            VisitFurther((number, what) => isMaking |= number >= WriterRegistry.Making && WriterRegistry.IsMaker(number, what));
            return isMaking;
        }
    }

    /// <summary>Takes a map of this kernel, which may belong to another registry.</summary>
    public void Meet(MapInfo map)
    {
        if (map is { Name: ReplicaTable.Name, Type: MapType.Hash, KeySize: sizeof(uint), ValueSize: sizeof(ulong) } && own?.Has(map) != true && !_further.Contains(map.Id))
            _further = [.. _further, map.Id];
    }

    /// <summary>Removes the registries that are gone.</summary>
    public void Forget(IReadOnlySet<uint> alive)
    {
        if (!_further.All(alive.Contains))
            _further = [.. _further.Where(alive.Contains)];
    }

    /// <summary>
    /// By kernel map id, the stream that a replica follows, in the form of <see cref="CursorRecord.HashOf"/>, or <see
    /// cref="WriterRegistry.Copy"/>.
    /// </summary>
    public IReadOnlyDictionary<uint, ulong> Replicas()
    {
        var replicas = own is null ? [] : new Dictionary<uint, ulong>(own.Replicas());
        VisitFurther((number, what) =>
        {
            if (number < WriterRegistry.Making)
                replicas.TryAdd(number, what);
        });
        return replicas;
    }

    /// <summary>From now on this map is an ordinary map.</summary>
    public void RemoveReplica(uint mapId)
    {
        own?.RemoveReplica(mapId);
        foreach (var id in _further)
        {
            using var map = TryOpen(id);
            map?.Delete(BitConverter.GetBytes(mapId));
        }
    }

    /// <summary>Creates a copy that each capture of this host recognises as a copy: see <see cref="WriterRegistry.MakeCopy"/>.</summary>
    public BpfMap MakeCopy(Func<BpfMap> make)
    {
        foreach (var map in BpfMap.All())
            Meet(map);
        var further = _further.Select(TryOpen).OfType<BpfMap>().ToList();
        try
        {
            return own is null ? MakeCopy(make, further) : own.MakeCopy(() => MakeCopy(make, further));
        }
        finally
        {
            further.ForEach(f => f.Dispose());
        }
    }

    private static BpfMap MakeCopy(Func<BpfMap> make, List<BpfMap> further)
    {
        var maker = WriterRegistry.Making | ProcessIdentity.Current.Tgid;
        further.ForEach(f => Put(f, maker, ProcessIdentity.Current.StartTicks));
        try
        {
            var map = make();
            further.ForEach(f => Put(f, map.Info.Id, WriterRegistry.Copy));
            return map;
        }
        finally
        {
            further.ForEach(f => f.Delete(BitConverter.GetBytes(maker)));
        }
    }

    // A full map has a successor in the same registry, which is in the list of other maps as well.
    private static void Put(BpfMap map, uint number, ulong what) => map.TryUpdate(BitConverter.GetBytes(number), BitConverter.GetBytes(what));

    private void VisitFurther(Action<uint, ulong> visit)
    {
        foreach (var id in _further)
        {
            using var map = TryOpen(id);
            if (map is not null)
                ReplicaTable.Visit(map, visit);
        }
    }

    private static BpfMap? TryOpen(uint id)
    {
        try
        {
            return BpfMap.OpenById(id);
        }
        catch (KernelException e) when (e.Errno is Errno.Enoent or Errno.Eperm or Errno.Eacces)
        {
            return null; // it is gone, or this process may not open it
        }
    }
}
