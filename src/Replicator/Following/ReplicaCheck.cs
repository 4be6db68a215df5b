using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>
/// Finds out whether another program has written into a replica's map: a seal has a digest of the map's content. An LRU map has only a part
/// of the content, so it is compared with the log itself, less often.
/// </summary>
internal sealed class ReplicaCheck(ReplicaMap replica, TimeSpan every, TimeProvider time)
{
    private const int LruFactor = 10, LeastRest = 100;

    private readonly HashSet<ulong> _seen = [];
    private SealLook? _look;
    private TimeSpan _looked; // time it took so far
    private long _doneAt = time.GetTimestamp();
    private TimeSpan _rest = TimeSpan.Zero;

    /// <summary>Whether the map must be compared with the log and corrected.</summary>
    public bool WantsRepair { get; private set; }

    /// <summary>Whether a check of the map has begun; then <see cref="Step"/> must be called until the check has ended.</summary>
    public bool IsUnderWay => _look is not null;

    private bool IsDue => every > TimeSpan.Zero && !WantsRepair && !IsUnderWay && time.GetElapsedTime(_doneAt) >= _rest;

    /// <summary>Whether a check is due at a seal.</summary>
    public bool IsWanted => IsDue && !replica.Map.Info.Type.IsLru();

    /// <summary>Begins to compare the map with a seal; the map has everything up to the seal, and no later change.</summary>
    public void Begin(Sealed seal)
    {
        if (!IsWanted)
            return;
        _looked = TimeSpan.Zero;
        _look = new SealLook(replica, seal, _seen);
        Step();
    }

    /// <summary>Continues the check for about a millisecond.</summary>
    public void Step() => Look(null);

    /// <summary>These changes are about to go into the map.</summary>
    public void Expect(PendingChanges changes)
    {
        if (changes.FromEmpty)
            GiveUp();
        else
            Look(changes);
    }

    /// <summary>The map is built again: there is nothing to compare.</summary>
    public void GiveUp() => _look = null;

    /// <summary>The map lacks an entry that it had.</summary>
    public void WantRepair()
    {
        GiveUp();
        WantsRepair = true;
    }

    /// <summary>Time has passed.</summary>
    public void Tick() => WantsRepair |= IsDue && replica.Map.Info.Type.IsLru();

    /// <summary>The map was corrected.</summary>
    /// <param name="began">Time at which the correction began.</param>
    public void Repaired(long began)
    {
        WantsRepair = false;
        Rest(time.GetElapsedTime(began));
    }

    private void Look(PendingChanges? changes)
    {
        if (_look is not { } look)
            return;
        var began = time.GetTimestamp();
        try
        {
            if (changes is null)
                look.Step();
            else
                look.Expect(changes);
            WantsRepair = look.Holds is false;
        }
        catch (KernelException)
        {
            // The map could not be read to its end: try again at the next seal.
            GiveUp();
        }
        _looked += time.GetElapsedTime(began);
        if (_look is { Holds: not null })
            GiveUp();
        if (_look is null)
            Rest(_looked);
    }

    private void Rest(TimeSpan took)
    {
        _doneAt = time.GetTimestamp();
        var usual = replica.Map.Info.Type.IsLru() ? every * LruFactor : every;
        _rest = took * LeastRest > usual ? took * LeastRest : usual;
    }
}
