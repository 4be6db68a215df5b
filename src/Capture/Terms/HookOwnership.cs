using Maplog.Events;
using Maplog.Hooking;
using Maplog.Kernel;
using Maplog.Log;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Terms;

/// <summary>
/// Keeps the pinned hook of a source with one log and one daemon: another log is refused whether the daemon of the first runs
/// or not, and a daemon of the same log waits until the one before has let go. See docs/decisions/0013.
/// </summary>
internal sealed class HookOwnership : IDisposable
{
    // A daemon that has not run for Hung is suspended: it holds its lock for as long as that lasts.
    private static readonly TimeSpan StampEvery = TimeSpan.FromSeconds(1), Hung = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20), Pause = TimeSpan.FromMilliseconds(200);

    private const string Apart = "give this capture another source or another --pin-root";

    private readonly string _source, _node;
    private readonly TimeProvider _time;
    private readonly HookClaim _claim;
    private readonly ITimer _stamping;
    private LogIdentity? _log;

    /// <param name="source">The source.</param>
    /// <param name="pinRoot">The folder that has the folder of the source's pins.</param>
    /// <param name="node">This host.</param>
    /// <param name="time">The clock that it waits by.</param>
    public HookOwnership(string source, string pinRoot, string node, TimeProvider time)
    {
        (_source, _node, _time) = (source, node, time);
        _claim = new HookClaim(Path.Combine(pinRoot, source));
        _stamping = time.CreateTimer(_ => Stamp(), null, StampEvery, StampEvery);
    }

    public HookClaim Claim => _claim;

    /// <summary>The latest term of this log that a daemon of this host has begun since its boot, as the hook knows it.</summary>
    public Epoch LatestEpoch => HookClaim.ReadOwner(_claim.Folder) is { } owner && owner.Log == _log?.Id ? new Epoch(owner.Epoch) : default;

    /// <summary>
    /// Takes the folder's lock before the log has answered, if its hook records for a log of that place: so that
    /// <c>maplog detach</c> finds a capture that waits for its log.
    /// </summary>
    public void HoldIfOf(string place)
    {
        if (HookClaim.ReadOwner(_claim.Folder)?.Place == place)
            _claim.TryHold();
    }

    /// <summary>The log that this daemon writes to.</summary>
    /// <exception cref="KernelException">The pinned hook records for another log.</exception>
    public void Serve(LogIdentity log)
    {
        _log = log;
        RefuseOther(HookClaim.ReadOwner(_claim.Folder), Directory.Exists(_claim.Folder) && _claim.TryHold());
    }

    /// <summary>Lets another daemon of this node have the hook.</summary>
    public void LetGo() => _claim.LetGo();

    /// <summary>
    /// Makes the folder of pins this daemon's, before a term as the writer begins: the lease says that no other daemon writes this log.
    /// </summary>
    /// <exception cref="KernelException">A daemon that runs has it, or its hook records for another log.</exception>
    public async Task TakeAsync(ILogger log, CancellationToken cancellation)
    {
        for (var began = _time.GetTimestamp(); ; await Task.Delay(Pause, _time, cancellation))
        {
            var isHeld = _claim.TryHold();
            var owner = HookClaim.ReadOwner(_claim.Folder);
            RefuseOther(owner, isHeld);
            if (isHeld && owner?.Log != _log!.Id)
                CaptureHook.ForgetHeads(_claim.Folder); // of a log that was given up
            if (isHeld)
                return;
            // A predecessor that is suspended in the middle of its term: its lease has run out, and it commits nothing more.
            if (owner is not null && Boot.Now() - owner.AliveAt > Hung.TotalNanoseconds)
            {
                log.WithoutLock(HookClaim.DescribeHolder(_claim.Folder), _claim.Folder);
                return;
            }
            if (_time.GetElapsedTime(began) > Patience)
            {
                throw Refused($"{HookClaim.DescribeHolder(_claim.Folder)} captures it and runs, although no daemon holds the lease in "
                    + $"this log: one of the two logs is a copy of the other. Stop that capture, or {Apart}.");
            }
        }
    }

    /// <summary>Notes beside the hook that its records are this log's.</summary>
    public void Sign(Epoch epoch) => _claim.Sign(_log!.Id, _log.Place, _node, epoch.Value);

    public void Dispose()
    {
        _stamping.Dispose();
        _claim.Dispose();
    }

    private void RefuseOther(HookOwner? owner, bool isHeld)
    {
        if (owner is null || owner.Log == _log!.Id)
            return;
        if (!isHeld)
        {
            throw Refused($"{HookClaim.DescribeHolder(_claim.Folder)} captures it for {Other(owner)}, and a hook serves "
                + $"one log. Stop that capture, or {Apart}.");
        }
        if (!_claim.HoldsHook)
            return;
        _claim.LetGo();
        throw Refused($"the hook that is pinned in {_claim.Folder} records for {Other(owner)}, and may hold changes "
            + "that are not in that log yet. Start the capture of that log again; or, if that log was abandoned, "
            + $"run `maplog detach {_source}` and start this capture again; or {Apart}.");
    }

    private string Other(HookOwner owner) =>
        owner.Place == _log!.Place ? "another log, which was at the same place earlier" : $"another log, {owner.Place}";

    private KernelException Refused(string why) => new($"Source {_source} cannot be captured on this host for the log {_log}: {why}");

    private void Stamp()
    {
        try
        {
            _claim.Stamp();
        }
        catch (KernelException)
        {
            // The session looks at the hook every second, and says what is wrong with it.
        }
    }
}
