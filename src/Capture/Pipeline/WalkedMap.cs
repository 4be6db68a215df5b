using Maplog.Walking;

namespace Maplog.Capture.Pipeline;

/// <summary>When one captured map is looked at, and how: by walks, by scans, or by both where entries vanish that no hook sees.</summary>
/// <param name="map">The map.</param>
/// <param name="making">Its walk; a result of null: it cannot be walked.</param>
/// <param name="wanted">Nanoseconds from one look to the next, as wished.</param>
/// <param name="refresh">Nanoseconds after which volatile bytes are logged by themselves; 0: never.</param>
internal sealed class WalkedMap(CapturedMap map, Task<LinearWalk?> making, long wanted, long refresh) : IDisposable
{
    private static readonly Task<LinearWalk?> NotWalked = Task.FromResult<LinearWalk?>(null);

    private const long CostOfScannedEntry = 500; // ns, until it was measured

    private MapWalk? _walk;
    private long _dueAt, _looksSince = -1, _refreshedAt = KernelClock.Now;

    /// <summary>Nanoseconds from one look to the next, as wished.</summary>
    public long Wanted { get; } = wanted;

    /// <summary>Nanoseconds from one look to the next, as there is time for.</summary>
    public long Interval
    {
        get;
        set
        {
            // A large map that became cheap, or the other way round, need not wait for the end of the old interval.
            _dueAt += value - field;
            field = value;
            map.Stream.Counters.WalkInterval = value;
        }
    }

    public long Cost => _walk is null ? map.Inspector.SweepCost ?? CostOfScannedEntry * map.Content.Entries.Count : _walk.Cost;

    /// <summary>Whether the map is no longer captured.</summary>
    public bool IsGone => map.Stream.Map != map;

    /// <summary>Whether a walk is under way, or what it found is not judged yet.</summary>
    public bool IsActive => _walk is { IsReading: true };

    /// <summary>Whether a walk is under way that waits for nothing.</summary>
    public bool IsReadingOn => _walk is { IsReadingOn: true };

    /// <summary>Whether a look that was asked for is not over.</summary>
    public bool IsLooking => _looksSince >= 0 && !IsGone;

    /// <summary>Whether entries that a walk found are to be judged now.</summary>
    public bool IsDue(long now, ulong ringEnd, ulong ringCursor) => _walk is not null && _walk.IsDue(now, ringEnd, ringCursor);

    /// <summary>Kernel time at which the last whole look began; 0: there was none.</summary>
    public long CompleteAt => _walk?.CompleteAt ?? map.Inspector.SweptAt;

    public CapturedMap Map => map;

    /// <summary>Whether the map can be read.</summary>
    public bool CanLook => map.Inspector.Refusal == 0;

    /// <summary>Looks now, with a look that begins after this call.</summary>
    public void LookNow()
    {
        (_looksSince, _dueAt) = (KernelClock.Now, 0);
    }

    public void Step(long now, ulong ringEnd, ulong ringCursor)
    {
        if (IsGone)
            return;
        if (_walk is { Failure: not null })
        {
            // From now on the map is read by bpf(2).
            (_walk, making) = (Close(_walk), NotWalked);
        }
        if (_walk is null && making is { IsCompletedSuccessfully: true, Result: { } made })
            _walk = new MapWalk(map, made);
        if (IsActive)
            _walk!.Step(now, ringEnd, ringCursor);
        if (_looksSince >= 0 && HasLooked() && !map.Inspector.IsBusy)
            _looksSince = -1;
        // The first scan says what changed while nobody looked; what a walk finds after it changed in place.
        if (now < _dueAt || IsActive || !CanLook || map.Inspector.IsScanning || _walk is null && map.Inspector.IsSweeping)
            return;
        _dueAt = now + Interval;
        var isWhole = map.VolatileBytes is not null && refresh > 0 && now - _refreshedAt >= refresh;
        if (_walk is null && !making.IsCompleted)
        {
            _dueAt = now;
            return;
        }
        if (isWhole)
            _refreshedAt = now;
        if (_walk is { MissesDeletes: false })
            _walk.Begin(now, isWhole);
        else
            Sweep(now, isWhole);
    }

    public void Dispose()
    {
        _walk?.Dispose();
        if (_walk is null)
            _ = making.ContinueWith(
                m => m.Result?.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    // A walk does not see what is gone: if it met fewer entries than the log has, a scan has to say which are gone.
    private bool HasLooked()
    {
        if (CompleteAt < _looksSince)
            return false;
        if (_walk is null or { MetFewer: false } || map.Inspector.SweptAt >= _looksSince)
            return true;
        map.Inspector.Sweep();
        return false;
    }

    private static MapWalk? Close(MapWalk walk)
    {
        walk.Dispose();
        return null;
    }

    private void Sweep(long now, bool isWhole)
    {
        map.Inspector.Sweep(isWhole);
        if (_walk is null)
            return;
        _walk.LeaveDeletesToScan();
        _walk.Begin(now, isWhole);
    }
}
