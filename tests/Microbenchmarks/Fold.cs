using BenchmarkDotNet.Attributes;
using Maplog.Folding;

namespace Maplog.Microbenchmarks;

/// <summary>The map in memory.</summary>
public class Fold
{
    private readonly Entries _entries = new();
    private readonly MapFold _fold = new(Entries.KeySize, Entries.ValueSize);
    private readonly MapFold _emptied = new(Entries.KeySize, Entries.ValueSize);

    [GlobalSetup]
    public void Fill() => _fold.Put(_entries.Keys, _entries.Values, Entries.Count);

    [Benchmark(OperationsPerInvoke = Entries.Count)]
    public int Update()
    {
        _fold.Put(_entries.Keys, _entries.Values, Entries.Count);
        return _fold.Count;
    }

    [Benchmark(OperationsPerInvoke = Entries.Count)]
    public int Add_and_remove()
    {
        for (var i = 0; i < Entries.Count; i++)
            _emptied.Put(_entries.Key(i), _entries.Value(i));
        for (var i = 0; i < Entries.Count; i++)
            _emptied.Remove(_entries.Key(i));
        return _emptied.Count;
    }
}
