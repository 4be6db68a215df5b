using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>
/// Finds out whether somebody else has written into a replica's map: at a seal the log says what the map comes to, by a digest.
/// An LRU map, which has only a part of that, is compared with the log itself, more rarely.
/// </summary>
internal sealed class ReplicaCheck(ReplicaMap replica, BatchApplier applier, TimeSpan every, TimeProvider time)
{
    private const int LruFactor = 10, LeastRest = 100;

    private long _doneAt = time.GetTimestamp();
    private TimeSpan _rest = TimeSpan.Zero;

    /// <summary>Whether the map is to be compared with the log, and what is wrong put right.</summary>
    public bool WantsRepair { get; private set; }

    private bool IsDue => every > TimeSpan.Zero && !WantsRepair && time.GetElapsedTime(_doneAt) >= _rest;

    /// <summary>Whether a check is due at a seal.</summary>
    public bool IsWanted => IsDue && !replica.Map.Info.Type.IsLru();

    /// <summary>Holds the map against a seal; everything up to it, and no change after it, is in the map.</summary>
    public void Check(Sealed seal)
    {
        if (!IsWanted)
            return;
        var began = time.GetTimestamp();
        try
        {
            WantsRepair = !applier.Holds(seal);
        }
        catch (KernelException)
        {
            // It could not be read to its end: the next time.
        }
        Rest(began);
    }

    /// <summary>Time went by.</summary>
    public void Tick() => WantsRepair |= IsDue && replica.Map.Info.Type.IsLru();

    /// <summary>It was put right.</summary>
    /// <param name="began">When that began.</param>
    public void Repaired(long began)
    {
        WantsRepair = false;
        Rest(began);
    }

    private void Rest(long began)
    {
        _doneAt = time.GetTimestamp();
        var took = time.GetElapsedTime(began) * LeastRest;
        var usual = replica.Map.Info.Type.IsLru() ? every * LruFactor : every;
        _rest = took > usual ? took : usual;
    }
}
