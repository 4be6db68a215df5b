using Maplog.Replicas;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator.Following;

/// <summary>The pins of one replica while they are watched.</summary>
internal sealed class WatchedPins(ReplicaMap replica, CancellationTokenSource life, ILogger log, Action<WatchedPins> leave) : IDisposable
{
    private readonly Lock _lock = new();
    private bool _isOver;

    /// <summary>A sentence about the present target of a pin; null: the right target.</summary>
    public string? Lost { get; private set; }

    /// <summary>Checks the pins, creates a missing pin again, and ends the replica's life if a pin leads elsewhere.</summary>
    public void Check()
    {
        lock (_lock)
        {
            if (_isOver || Lost is not null)
                return;
            var found = replica.Pins.Check();
            if (found.State == PinState.Restored)
                log.PinRestored(replica.Pin, replica.Stream, found.Sentence);
            if (found.State != PinState.Lost)
                return;
            Lost = found.Sentence;
            life.Cancel();
        }
    }

    public void Dispose()
    {
        leave(this);
        lock (_lock)
            _isOver = true;
    }
}
