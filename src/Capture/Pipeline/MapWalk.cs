using Maplog.Events;
using Maplog.Kernel;
using Maplog.Walking;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// The walks over one captured map, a slice at a time. What a walk finds waits as an <see cref="Inspection"/> until the fold may
/// judge it, like everything else that is read from a map.
/// </summary>
internal sealed class MapWalk(CapturedMap map, LinearWalk walk) : IDisposable
{
    private const int ElementsAtOnce = 4096;

    /// <summary>Nanoseconds of a slice.</summary>
    private const long Slice = 2_000_000;

    /// <summary>Walks after which a fold that has more entries than the map is compared with it as a whole.</summary>
    private const int QuietWalks = 2, BusyWalks = 10;

    private readonly Inspection _found = new(map.Shape.KeySize, map.Shape.ValueBytes, walk.Room);
    private readonly int[] _places = new int[walk.Room];
    private long _beganAt, _readAt, _spent, _changesBefore, _entriesBefore;
    private int _fewer;
    private bool _isWhole;

    public bool IsWalking { get; private set; }

    /// <summary>Whether something was read that is not judged yet.</summary>
    public bool IsReading => IsWalking || _found.IsPending;

    /// <summary>Whether the walk reads on at once, because nothing waits to be judged.</summary>
    public bool IsReadingOn => IsWalking && !_found.IsPending;

    /// <summary>Nanoseconds that the last walk took of the processor.</summary>
    public long Cost { get; private set; }

    /// <summary>Kernel time at which the last whole walk began; 0: there was none.</summary>
    public long CompleteAt { get; private set; }

    /// <summary>Why the kernel no longer runs the walk; null: it does.</summary>
    public string? Failure { get; private set; }

    /// <summary>Whether the map holds fewer entries than the log says, walk after walk: entries were deleted that no hook saw.</summary>
    public bool MissesDeletes { get; private set; }

    /// <summary>Whether the last walk met fewer entries than the log has.</summary>
    public bool MetFewer => _fewer > 0;

    /// <summary>A scan finds out what is gone: walks begin to count anew.</summary>
    public void LeaveDeletesToScan() => (MissesDeletes, _fewer) = (false, 0);

    /// <summary>Whether entries that were found are to be judged now.</summary>
    public bool IsDue(long now, ulong ringEnd, ulong ringCursor) => _found.IsPending && _found.IsDue(now, ringEnd, ringCursor);

    /// <param name="now">By the kernel's clock.</param>
    /// <param name="isWhole">Whether volatile bytes count too: then every entry is compared with the fold.</param>
    public void Begin(long now, bool isWhole = false)
    {
        if (IsReading)
            return;
        _isWhole = isWhole;
        walk.Begin(all: isWhole);
        (IsWalking, _beganAt, _readAt, _spent, _changesBefore) = (true, now, 0, 0, map.Stream.Counters.Seen);
        _entriesBefore = map.Content.Entries.Count;
    }

    /// <summary>Does what is due. The map may be gone: then the walk ends.</summary>
    /// <param name="now">By the kernel's clock.</param>
    /// <param name="ringEnd">The ring's end.</param>
    /// <param name="ringCursor">How far it is read.</param>
    public void Step(long now, ulong ringEnd, ulong ringCursor)
    {
        if (_found.IsPending)
        {
            if (!_found.IsDue(now, ringEnd, ringCursor))
                return;
            Judge();
        }
        else if (IsWalking)
        {
            Read();
        }
    }

    public void Dispose() => walk.Dispose();

    private void Read()
    {
        using var open = map.Inspector.Open();
        if (open is null)
        {
            IsWalking = false;
            return;
        }
        if (_readAt == 0)
            _readAt = KernelClock.Now;
        var hasRoom = true;
        long began = KernelClock.Now, until;
        try
        {
            do
            {
                hasRoom = walk.Continue(open, ElementsAtOnce);
                until = KernelClock.Now;
            }
            while (hasRoom && !walk.IsAtEnd && until - began < Slice);
        }
        catch (KernelException e)
        {
            (IsWalking, Failure) = (false, e.Message);
            return;
        }
        _spent += until - began;
        if (hasRoom && !walk.IsAtEnd)
            return;
        var count = walk.Take(_found.Keys, _found.Values, _places);
        if (count > 0)
        {
            _found.Present.AsSpan(0, count).Fill(true);
            _found.Begin(count, _readAt, Origin.InPlace, endsScan: false, _isWhole, until);
        }
        else
            End();
        _readAt = 0;
    }

    private void Judge()
    {
        var began = KernelClock.Now;
        _found.Done();
        for (var i = 0; i < _found.Count; i++)
        {
            // The stream told of a later change: the next walk looks whether there was yet another one.
            if (!map.JudgeWalked(_found, i))
                walk.Forget(_places[i]);
        }
        _spent += KernelClock.Now - began;
        if (walk.IsAtEnd)
            End();
    }

    private void End()
    {
        IsWalking = false;
        (Cost, CompleteAt) = (_spent, _beganAt);
        map.Stream.Counters.Walked(walk.Elements);
        // A walk sees what is there. What is gone shows only in the count, which is exact where nothing happens.
        _fewer = walk.Live < Math.Min(_entriesBefore, map.Content.Entries.Count) ? _fewer + 1 : 0;
        var isQuiet = map.Stream.Counters.Seen == _changesBefore;
        MissesDeletes = _fewer >= (isQuiet ? QuietWalks : BusyWalks);
    }
}
