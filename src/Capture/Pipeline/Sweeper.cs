using Maplog.Capture.Watching;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// The background scan: reads all captured maps through, slowly, one after the other and for ever, and so finds what no hook
/// can see.
/// </summary>
/// <param name="registry">The maps.</param>
/// <param name="rate">Entries per second; 0: it does nothing.</param>
internal sealed class Sweeper(MapRegistry registry, int rate)
{
    /// <summary>A round takes this long (ns), however small the maps.</summary>
    private const long LeastRound = 1_000_000_000;

    private readonly Queue<CapturedMap> _round = [];
    private CapturedMap? _at;
    private long _roundBegan = KernelClock.Now;

    /// <summary>Begins with the next map when the one at hand is through.</summary>
    public void Step(long now)
    {
        if (rate == 0 || _at is { Inspector.IsSweeping: true } && registry.Maps.Contains(_at))
            return;
        if (_round.Count == 0 && now - _roundBegan >= LeastRound)
        {
            _roundBegan = now;
            foreach (var map in registry.Maps)
                _round.Enqueue(map);
        }
        if (_round.TryDequeue(out _at) && registry.Maps.Contains(_at))
            _at.Inspector.Sweep(1_000_000_000 / rate);
    }
}
