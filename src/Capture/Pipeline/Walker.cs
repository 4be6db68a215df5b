using System.Collections.Concurrent;
using Maplog.Capture.Watching;
using Maplog.Kernel;
using Maplog.Walking;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// Looks at every captured map again and again, within a share of a processor, and so finds what no hook can see: by a walk over the
/// map's elements in the kernel where that can be, else by a scan.
/// </summary>
internal sealed class Walker(MapRegistry registry, LinearWalks walks, WalkOptions options, ILogger log) : IDisposable
{
    private const long PlanEvery = 1_000_000_000, LookEvery = 5_000_000;

    /// <summary>Nanoseconds after which a round is over, whatever maps are left.</summary>
    private const long MaxRound = 4_000_000;

    /// <summary>A map with fewer entries is read as fast by a scan, which needs no program.</summary>
    private const uint MinWalked = 512;

    private static readonly Task<LinearWalk?> NotWalked = Task.FromResult<LinearWalk?>(null);

    private readonly List<WalkedMap> _maps = [];
    private readonly ConcurrentDictionary<string, bool> _toldOf = [];
    private Task _making = Task.CompletedTask;
    private bool _isActive;
    private int _first;
    private long _plannedAt, _lookedAt;
    private long[] _costs = [], _wanted = [], _intervals = [];

    /// <summary>Does what is due.</summary>
    /// <param name="now">By the kernel's clock.</param>
    /// <param name="ringEnd">The ring's end.</param>
    /// <param name="ringCursor">How far it is read.</param>
    /// <param name="countLosses">Is called before anything is judged: what was lost did not change in place.</param>
    public void Step(long now, ulong ringEnd, ulong ringCursor, Action<long> countLosses)
    {
        if (options.Share <= 0 && !IsLooking)
            return;
        if (now - _plannedAt >= PlanEvery || _maps.Count < registry.Maps.Count)
            Plan(now);
        var isDue = now - _lookedAt >= LookEvery;
        if (!isDue && !_isActive)
            return;
        if (isDue)
            _lookedAt = now;
        if (_isActive && IsAnyDue(now, ringEnd, ringCursor))
            countLosses(now);
        StepMaps(now, ringEnd, ringCursor, isDue);
    }

    // Each round begins with another map, because the ring is not to wait for all of them.
    private void StepMaps(long now, ulong ringEnd, ulong ringCursor, bool isDue)
    {
        (_isActive, IsReading) = (false, false);
        var until = KernelClock.Now + MaxRound;
        for (var i = 0; i < _maps.Count; i++)
        {
            var map = _maps[(_first + i) % _maps.Count];
            if (isDue || map.IsActive)
                map.Step(now, ringEnd, ringCursor);
            _isActive |= map.IsActive;
            IsReading |= map.IsReadingOn;
            if (!map.IsActive || KernelClock.Now < until)
                continue;
            (_first, _lookedAt, _isActive, IsReading) = ((_first + i + 1) % _maps.Count, 0, true, true);
            return;
        }
    }

    /// <summary>Walks every map once, from now on. <see cref="IsLooking"/> says whether that is over.</summary>
    public void LookNow(long now)
    {
        Plan(now);
        foreach (var map in _maps)
            map.LookNow();
    }

    /// <summary>Whether a walk is under way that reads on at once.</summary>
    public bool IsReading { get; private set; }

    /// <summary>Whether a look that was asked for by <see cref="LookNow"/> is not over.</summary>
    public bool IsLooking => _maps.Exists(m => m is { IsLooking: true, CanLook: true });

    /// <summary>The maps whose look is not over, each with the kernel time of the last one that is.</summary>
    public IEnumerable<(CapturedMap Map, long LookedAt)> NotLookedAt => _maps.Where(m => m.IsLooking).Select(m => (m.Map, m.CompleteAt));

    public void Dispose()
    {
        foreach (var map in _maps)
            map.Dispose();
    }

    private bool IsAnyDue(long now, ulong ringEnd, ulong ringCursor)
    {
        foreach (var map in _maps)
        {
            if (map.IsDue(now, ringEnd, ringCursor))
                return true;
        }
        return false;
    }

    private void Plan(long now)
    {
        _plannedAt = now;
        for (var i = _maps.Count - 1; i >= 0; i--)
        {
            if (_maps[i].IsGone)
            {
                _maps[i].Dispose();
                _maps.RemoveAt(i);
            }
        }
        foreach (var map in registry.Maps)
        {
            if (map.Walked is not null)
                continue;
            map.Walked = new WalkedMap(map, WalkFor(map), options.FreshOf(map.Stream.Name.Map), (long)options.Refresh.TotalNanoseconds);
            _maps.Add(map.Walked);
        }
        if (_costs.Length != _maps.Count)
            (_costs, _wanted, _intervals) = (new long[_maps.Count], new long[_maps.Count], new long[_maps.Count]);
        for (var i = 0; i < _maps.Count; i++)
            (_costs[i], _wanted[i]) = (_maps[i].Cost, _maps[i].Wanted);
        WalkPlan.Fill(_costs, _wanted, options.Share, _intervals);
        for (var i = 0; i < _maps.Count; i++)
            _maps[i].Interval = _intervals[i];
    }

    // Loading a program takes milliseconds, for which the ring does not wait. One at a time: a thousand maps may come at once.
    private Task<LinearWalk?> WalkFor(CapturedMap map)
    {
        if (map.Shape.MaxEntries < MinWalked || !LinearWalks.CanBe(map.Shape))
            return NotWalked;
        var making = _making.ContinueWith(_ => MakeWalk(map), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _making = making;
        return making;
    }

    private LinearWalk? MakeWalk(CapturedMap map)
    {
        using var open = BpfMap.TryOpenById(map.Id, MapAccess.Read, out _);
        if (open is null)
            return null;
        var walk = walks.TryMake(open, map.CountedBits(), out var whyNot);
        if (walk is null && _toldOf.TryAdd(whyNot!, true))
            log.NotWalked(map.Stream.Name.ToString(), map.Id, whyNot!);
        return walk;
    }
}
