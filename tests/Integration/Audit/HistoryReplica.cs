using Maplog.Kernel;
using Maplog.Tests.Integration.Replicating;

namespace Maplog.Tests.Integration.Audit;

/// <summary>A real replica of a recorded history, kept by the replicator as an operator runs it.</summary>
internal sealed class HistoryReplica : IDisposable
{
    private readonly string _folder = $"{Bpffs.Root}/maplog_test_{Guid.NewGuid():N}";
    private readonly RecordedHistory _history;

    public HistoryReplica(RecordedHistory history)
    {
        _history = history;
        Bpffs.EnsureMounted(_folder);
    }

    public string Pin => Path.Combine(_folder, "replica");

    public ReplicatorProcess Start() => ReplicatorProcess.Start(
        "--source", "lb-1", "--map", "ct_map", "--pin", Pin, "--registry", Path.Combine(_folder, "registry"), "--log", _history.Log.Options.ConnectionString);

    /// <summary>Waits until the replica is at the history's head, and says what it holds.</summary>
    public async Task<SortedDictionary<string, string>> HoldsAsync(ReplicatorProcess replicator, int version)
    {
        await Wait.UntilAsync(
            () => Maplog.Replicas.ReplicaMap.ReadCursor(Pin) is { } cursor && cursor.Cursor.Version.Value >= version, TimeSpan.FromSeconds(60),
            () => $"The replica did not come to version {version}. {replicator.Output}");
        using var map = BpfMap.OpenPinned(Pin, MapAccess.Read);
        byte[] keys = new byte[1024 * map.Info.KeySize], values = new byte[1024 * map.Info.ValueBytes];
        var held = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var scan = map.Scan(1024);
        for (int count; (count = scan.Next(keys, values)) > 0;)
            for (var i = 0; i < count; i++)
                held[Convert.ToHexStringLower(keys, i * map.Info.KeySize, map.Info.KeySize)] = Convert.ToHexStringLower(values, i * map.Info.ValueBytes, map.Info.ValueBytes);
        return held;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
