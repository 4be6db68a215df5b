namespace Maplog.Demo;

/// <summary>Rates between samples, over about the last second.</summary>
internal sealed class Rates
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);
    private readonly Queue<Sample> _samples = new();
    private Sample? _last;

    public void Add(Sample sample)
    {
        _samples.Enqueue(_last = sample);
        while (_samples.Count > 2 && sample.At - _samples.Peek().At > Window)
            _samples.Dequeue();
    }

    /// <summary>Growth per second of what <paramref name="of"/> reads.</summary>
    public double PerSecond(Func<Sample, long> of)
    {
        if (_last is null || _last.At <= _samples.Peek().At)
            return 0;
        return (of(_last) - of(_samples.Peek())) / (_last.At - _samples.Peek().At).TotalSeconds;
    }
}
