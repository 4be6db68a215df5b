using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>
/// Finds out whether somebody else has written into a replica's map: at a seal the log says what the map comes to, by a digest.
/// An LRU map, which has only a part of that, is compared with the log itself, more rarely.
/// </summary>
internal sealed class ReplicaCheck(ReplicaMap replica, TimeSpan every, TimeProvider time)
{
    private const int LruFactor = 10, LeastRest = 100;

    private readonly HashSet<ulong> _seen = [];
    private SealLook? _look;
    private TimeSpan _looked; // time it took so far
    private long _doneAt = time.GetTimestamp();
    private TimeSpan _rest = TimeSpan.Zero;

    /// <summary>Whether the map is to be compared with the log, and what is wrong put right.</summary>
    public bool WantsRepair { get; private set; }

    /// <summary>Whether a look at the map has begun, and <see cref="Step"/> is to be called until it has ended.</summary>
    public bool IsUnderWay => _look is not null;

    private bool IsDue => every > TimeSpan.Zero && !WantsRepair && !IsUnderWay && time.GetElapsedTime(_doneAt) >= _rest;

    /// <summary>Whether a check is due at a seal.</summary>
    public bool IsWanted => IsDue && !replica.Map.Info.Type.IsLru();

    /// <summary>Begins to hold the map against a seal; everything up to it, and no change after it, is in the map.</summary>
    public void Begin(Sealed seal)
    {
        if (!IsWanted)
            return;
        _looked = TimeSpan.Zero;
        _look = new SealLook(replica, seal, _seen);
        Step();
    }

    /// <summary>Goes on, for a millisecond or so.</summary>
    public void Step() => Look(null);

    /// <summary>These changes are about to go into the map.</summary>
    public void Expect(PendingChanges changes)
    {
        if (changes.FromEmpty)
            GiveUp();
        else
            Look(changes);
    }

    /// <summary>The map begins anew: there is nothing to hold it against.</summary>
    public void GiveUp() => _look = null;

    /// <summary>Time went by.</summary>
    public void Tick() => WantsRepair |= IsDue && replica.Map.Info.Type.IsLru();

    /// <summary>It was put right.</summary>
    /// <param name="began">When that began.</param>
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
            // It could not be read to its end: the next time.
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
