using BenchmarkDotNet.Attributes;
using Maplog.Bus;
using Maplog.Events;

namespace Maplog.Microbenchmarks;

/// <summary>A block for the bus, written and read.</summary>
public class Block : IDisposable
{
    private readonly Entries _entries = new();
    private readonly ChangeBlockWriter _writer = new();
    private byte[] _block = [];

    [GlobalSetup]
    public void Fill() => _block = Write().ToArray();

    [GlobalCleanup]
    public void Dispose()
    {
        _writer.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = Entries.Count)]
    public ReadOnlyMemory<byte> Write()
    {
        _writer.Begin(Entries.Stream, new Epoch(1), new StreamVersion(1), Entries.Shape);
        for (var i = 0; i < Entries.Count; i++)
            _writer.AddChange(EventKind.EntryUpdated, _entries.Key(i), _entries.Value(i));
        return _writer.Finish(DateTimeOffset.UnixEpoch);
    }

    [Benchmark(OperationsPerInvoke = Entries.Count)]
    public int Read()
    {
        if (!ChangeBlock.TryRead(_block, out var block, out var error))
            throw new InvalidOperationException(error);
        var sum = 0;
        foreach (var change in block)
            sum += change.Key[0] + change.Value[0];
        return sum;
    }
}
