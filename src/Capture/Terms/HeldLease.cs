using Maplog.Events;
using Maplog.Log;

namespace Maplog.Capture.Terms;

/// <summary>The lease while this daemon has it: renewed in the background, until it is asked to give way, or finds that it was deposed.</summary>
internal sealed class HeldLease : IAsyncDisposable
{
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(2);

    private readonly WriterLease _lease;
    private readonly string _node;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _over = new(), _stop = new();
    private readonly Task _renewing;
    private long _renewedAt;
    private volatile bool _isLost;
    private volatile Func<IReadOnlyList<string>> _troubles = () => [];

    public HeldLease(WriterLease lease, string node, Epoch epoch, bool followsWhole, TimeProvider time)
    {
        (_lease, _node, Epoch, FollowsWhole, _time, _renewedAt) = (lease, node, epoch, followsWhole, time, time.GetTimestamp());
        _renewing = Task.Run(RenewAsync);
    }

    /// <summary>The term that it stands for.</summary>
    public Epoch Epoch { get; }

    /// <summary>Whether the writer before had logged all that it recorded.</summary>
    public bool FollowsWhole { get; }

    /// <summary>Whether this one has.</summary>
    public bool IsWhole { get; set; }

    /// <summary>When to stop writing.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Whether another has it.</summary>
    public bool IsLost => _isLost;

    /// <summary>The node that asked for it, if one did.</summary>
    public string? Successor { get; private set; }

    /// <summary>From now on the lease's row shows what keeps this daemon from being ready.</summary>
    /// <param name="troubles">Asked at each renewal; sentences.</param>
    public void Tell(Func<IReadOnlyList<string>> troubles) => _troubles = troubles;

    /// <summary>
    /// Whether the log may be written. A lease that has not been renewed for its whole term, because the log was away, is asked
    /// for first: another node may have taken it.
    /// </summary>
    public async ValueTask<bool> IsHeldAsync(CancellationToken cancellation)
    {
        if (!_isLost && _time.GetElapsedTime(Interlocked.Read(ref _renewedAt)) >= WriterLease.Term)
            await RenewOnceAsync(cancellation);
        return !_isLost;
    }

    /// <summary>Ends the session of a writer before that hangs in the middle of a commit, and holds up this one's.</summary>
    public Task<bool> EndPredecessorAsync(CancellationToken cancellation) => _lease.EndPredecessorAsync(HolderName.Own, cancellation);

    /// <summary>Gives it back, if it is still held.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _renewing;
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), _time);
            if (!_isLost)
                await _lease.ReleaseAsync(HolderName.Own, IsWhole, patience.Token);
        }
        catch (Exception e) when (e is LogException or OperationCanceledException)
        {
            // Then it runs out.
        }
        _stop.Dispose();
        _over.Dispose();
    }

    private async Task RenewAsync()
    {
        try
        {
            while (!_isLost)
            {
                await Task.Delay(RenewEvery, _time, _stop.Token);
                try
                {
                    await RenewOnceAsync(_stop.Token);
                }
                catch (LogException)
                {
                    // Whoever commits says that the log is away.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }

    private async Task RenewOnceAsync(CancellationToken cancellation)
    {
        var asked = _time.GetTimestamp();
        var row = await _lease.RenewAsync(HolderName.Own, _troubles(), cancellation);
        if (row is null)
            _isLost = true;
        else
            Interlocked.Exchange(ref _renewedAt, asked);
        if (row?.Successor is { } successor && successor != _node)
            Successor = successor;
        if (_isLost || Successor is not null)
            await _over.CancelAsync();
    }
}
