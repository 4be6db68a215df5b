using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>
/// The two pins of a replica, which other programs may remove or replace while the replicator holds the maps. The rules:
/// <list type="bullet">
/// <item>A pin that is gone is made again, with the same map: programs that hold the map keep their replica. A frozen map is not
/// pinned again, because no replicator can write it.</item>
/// <item>The map's pin that leads to something else is lost: the replicator treats it as at a start.</item>
/// <item>The cursor's pin that leads to a cursor of no living replicator gets this replica's cursor again.</item>
/// </list>
/// </summary>
public sealed class ReplicaPins
{
    private readonly BpfMap _map;
    private readonly HeldPin _pin, _cursor;

    internal ReplicaPins(string pin, BpfMap map, BpfMap cursor)
    {
        _map = map;
        _pin = new HeldPin(Path.GetFullPath(pin), map);
        _cursor = new HeldPin(ReplicaMap.CursorPin(Path.GetFullPath(pin)), cursor);
    }

    /// <summary>Checks both pins, and repairs them if possible.</summary>
    public PinFinding Check()
    {
        try
        {
            var map = CheckMap();
            return map.State == PinState.Held ? CheckCursor() : map;
        }
        catch (KernelException e)
        {
            return new PinFinding(PinState.Lost, e.Message);
        }
    }

    private PinFinding CheckMap()
    {
        if (_pin.Look())
            return default;
        if (_pin.IsThere)
        {
            return new PinFinding(PinState.Lost, _pin.Found() is { } other
                ? $"The pin {_pin.Path} now leads to another map, {ReplicaShape.Describe(other)} with the id {other.Id}; the replica was the map with the id {_map.Info.Id}."
                : $"The pin {_pin.Path} now leads to something that is not a map which this process can open; the replica was the map with the id {_map.Info.Id}.");
        }
        if (_map.IsFrozen())
            return new PinFinding(PinState.Lost, $"The pin {_pin.Path} is gone, and its map is frozen: the replicator creates another map.");
        _pin.Restore();
        return new PinFinding(PinState.Restored, $"The pin {_pin.Path} was gone");
    }

    private PinFinding CheckCursor()
    {
        if (_cursor.Look())
            return default;
        if (!_cursor.IsThere)
        {
            _cursor.Restore();
            return new PinFinding(PinState.Restored, $"The pin {_cursor.Path} was gone");
        }
        if (_cursor.Found() is not { } other || !ReplicaMap.IsCursor(other))
            return new PinFinding(PinState.Lost, $"The pin {_cursor.Path} now leads to something that is not a cursor.");
        if (ReplicaMap.ReadCursor(_pin.Path) is { } record && record.Keeper != ProcessIdentity.Current && record.Keeper.IsAlive)
            return new PinFinding(PinState.Lost, $"The pin {_cursor.Path} leads to the cursor of process {record.Keeper.Tgid}: only one replicator can maintain a replica.");
        _cursor.Restore(replace: true);
        return new PinFinding(PinState.Restored, $"The pin {_cursor.Path} led to another cursor");
    }
}
