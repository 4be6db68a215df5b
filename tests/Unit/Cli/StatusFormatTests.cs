using System.Text;
using Maplog.Cli.Output;
using Maplog.Events;
using Maplog.Log;
using Xunit;

namespace Maplog.Tests.Unit.Cli;

public sealed class StatusFormatTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly StreamName Stream = new("lb-1", "ct_map");

    [Fact]
    public void Sources_streams_and_replicas_have_a_table_each()
    {
        var status = new LogStatus(
            Now, [new("lb-1", new Epoch(3), "node-a", Now.AddHours(-3), "node-a", false, ["node-b", "node-c"]), new("lb-2", default, null, null)],
            [new(new StreamHead(Stream, new StreamVersion(120), Now.AddSeconds(-1.5), EventKind.EntryAdded, new Epoch(3), null), null)],
            [new(Stream, "late-attach", 1, 0), new(Stream, "ring-full", 2, 70)],
            [Replica("node-b"), Replica("node-c") with { Versions = null, Lag = null, State = "waiting", Trouble = "The log has no such stream yet.", SeenAgo = TimeSpan.FromSeconds(1) }, Replica("node-d") with { SeenAgo = TimeSpan.FromMinutes(5) }]);
        Assert.Equal(
            """
            SOURCE  EPOCH  WRITER  SINCE                        LEASE                STANDS BY       STREAMS
            lb-1    3      node-a  2026-03-01T09:00:00.000000Z  of node-a, not held  node-b, node-c  1
            lb-2    0      -       -                            -                    -               0
            STREAM       HEAD  LAST EVENT                   AGO    GAPS IN THE LAST HOUR
            lb-1/ct_map  120   2026-03-01T11:59:58.500000Z  1.5 s  1 late-attach, 2 ring-full (70 lost)
            REPLICA OF   NODE    PIN                 VERSION  BEHIND  LAG  STATE                                   SEEN       READY
            lb-1/ct_map  node-b  /sys/fs/bpf/ct_map  118      2       0 s  following                               0.5 s ago  yes
            lb-1/ct_map  node-c  /sys/fs/bpf/ct_map  118      -       -    waiting                                 1 s ago    no
            lb-1/ct_map  node-d  /sys/fs/bpf/ct_map  118      2       0 s  gone since 2026-03-01T11:55:00.000000Z  5 min ago  no

            """,
            Print(status));
        Assert.False(status.IsWell);
        Assert.Equal(
            ["Source lb-1 has no writer: the capture on node-a has ended. Start it again, or promote a node that stands by: 'maplog promote lb-1 --node node-b'.", null],
            status.Sources.Select(StatusFormat.Complaint));
        Assert.Equal(
            [
                null,
                "Replica /sys/fs/bpf/ct_map of lb-1/ct_map on node-c is not ready: The log has no such stream yet.",
                "Replica /sys/fs/bpf/ct_map of lb-1/ct_map on node-d is gone since 2026-03-01T11:55:00.000000Z: its replicator has crashed, or cannot reach the log. Start it again, or, if the host will not come back, run 'maplog forget node-d'.",
            ],
            status.Replicas.Select(StatusFormat.Complaint));
    }

    [Fact]
    public void A_log_without_replicas_is_well() => Assert.True(new LogStatus(Now, [], [], [], []).IsWell);

    private static ReplicaRow Replica(string node) => new(
        Stream, node, "/sys/fs/bpf/ct_map", 42, "boot", new Epoch(3), new StreamVersion(118), new StreamVersion(120), 2, TimeSpan.Zero, "following", null)
    {
        SeenAgo = TimeSpan.FromSeconds(0.5),
        SeenAt = Now.AddMinutes(-5),
    };

    private static string Print(LogStatus status)
    {
        using var stream = new MemoryStream();
        using (var terminal = new Terminal(stream, TextWriter.Null, isForPeople: false))
        {
            foreach (var table in StatusFormat.Tables(status))
                table.Write(terminal);
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
