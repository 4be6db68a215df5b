using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Kernel.Promoting;

/// <summary>One of two nodes that keep a map between them: a capture that writes or stands by, and a replicator, as two hosts would run them.</summary>
internal sealed class PairNode : IDisposable
{
    private readonly PinFolder _pins = new();
    private readonly string[] _capture, _replicator;

    /// <param name="name">What it is called.</param>
    /// <param name="stream">Of the map.</param>
    /// <param name="log">Connection string.</param>
    /// <param name="bus">RabbitMQ.</param>
    /// <param name="more">Further arguments of both.</param>
    public PairNode(string name, StreamName stream, string log, string bus, params string[] more)
    {
        Name = name;
        _capture =
        [
            Path.Combine(Repository.Bin, "maplog-capture"), "--source", stream.Source, "--watch", $"pin:{Pin}={stream.Map}", "--probe", "syscall", "--standby", "true",
            "--node", name, "--pin-root", _pins["maplog"], "--log", log, "--bus", bus, "--ring-bytes", $"{16 << 20}", .. more,
        ];
        _replicator =
        [
            Path.Combine(Repository.Bin, "maplog-replicator"), "--source", stream.Source, "--map", stream.Map, "--pin", Pin, "--registry", _pins["maplog"],
            "--node", name, "--log", log, "--bus", bus, .. more,
        ];
    }

    public string Name { get; }

    /// <summary>Where the map is that this node's data plane uses.</summary>
    public string Pin => _pins["ct_map"];

    public Command Capture { get; private set; } = null!;

    public Command Replicator { get; private set; } = null!;

    public void StartCapture() => Capture = new Command(_pins.Folder, _capture);

    public void StartReplicator() => Replicator = new Command(_pins.Folder, _replicator);

    public BpfMap OpenMap() => BpfMap.OpenPinned(Pin);

    /// <summary>All up to here is in its replica.</summary>
    public long Version => ReplicaMap.ReadCursor(Pin)?.Cursor.Version.Value ?? 0;

    public void Dispose()
    {
        Capture?.Dispose();
        Replicator?.Dispose();
        _pins.Dispose();
    }
}
