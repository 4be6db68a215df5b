using BenchmarkDotNet.Attributes;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Microbenchmarks;

/// <summary>Changes into a replica's real map, with its cursor; beside it the batch update alone.</summary>
public class Apply
{
    private readonly Entries _entries = new();
    private readonly PendingChanges _pending = new(Entries.Stream, Entries.Shape);
    private readonly string _folder = $"{Bpffs.Root}/maplog_micro_{Environment.ProcessId}";
    private WriterRegistry? _registry;
    private ReplicaMap? _replica;
    private BatchApplier? _applier;
    private long _version = 1;

    [GlobalSetup]
    public void Make()
    {
        Bpffs.EnsureMounted(_folder);
        var opened = new MapOpened(1, 7, "boot", "ct_map", Entries.Shape, null, 0, 0, "syscall", [], "node");
        _registry = WriterRegistry.Open(_folder);
        _replica = ReplicaMap.Open(Path.Combine(_folder, "map"), Entries.Stream, opened, _registry);
        _applier = new BatchApplier(_replica);
    }

    [GlobalCleanup]
    public void Remove()
    {
        _replica?.Dispose();
        _registry?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Entries.Count)]
    public int Batch_update_alone() => _replica!.Map.UpdateBatch(_entries.Keys, _entries.Values, Entries.Count);

    [Benchmark(OperationsPerInvoke = Entries.Count)]
    public long Taken_and_applied()
    {
        for (var i = 0; i < Entries.Count; i++)
            _pending.TakeChange(new Cursor(new Epoch(1), new StreamVersion(++_version)), DateTimeOffset.UnixEpoch, EventKind.EntryUpdated, _entries.Key(i), _entries.Value(i));
        _applier!.Apply(_pending);
        _pending.Clear();
        return _applier.Written;
    }
}
