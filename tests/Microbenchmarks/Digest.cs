using System.IO.Hashing;
using BenchmarkDotNet.Attributes;
using Maplog.Folding;

namespace Maplog.Microbenchmarks;

/// <summary>The digest of a map's content, for each of its entries; and the same hash fed key and value one after the other.</summary>
public class Digest
{
    private readonly Entries _entries = new();
    private readonly XxHash128 _hash = new();

    [Benchmark(OperationsPerInvoke = Entries.Count, Baseline = true)]
    public long At_once()
    {
        var digest = ContentDigest.For(Entries.Shape);
        for (var i = 0; i < Entries.Count; i++)
            digest.Add(_entries.Key(i), _entries.Value(i));
        return digest.Entries;
    }

    [Benchmark(OperationsPerInvoke = Entries.Count)]
    public UInt128 In_pieces()
    {
        UInt128 sum = 0;
        for (var i = 0; i < Entries.Count; i++)
        {
            _hash.Append(_entries.Key(i));
            _hash.Append(_entries.Value(i));
            sum += _hash.GetCurrentHashAsUInt128();
            _hash.Reset();
        }
        return sum;
    }
}
