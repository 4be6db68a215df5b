using Maplog.Events;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>A pinned hook serves one log and one capture, and the capture notices when that is no longer so.</summary>
public sealed class OwnHookTests(TestPostgres postgres)
{
    private const int RingBytes = 16 << 20;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_capture_with_another_log_is_refused_and_told_the_process_and_the_log_that_have_the_hook()
    {
        using var map = BusyMap.Create("maplog_mine");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await LogSomeAsync(capture, map);
        var otherLog = await postgres.CreateDatabaseAsync("other");
        await CaptureProcess.PrepareAsync(otherLog);

        using (var other = capture.StartOther(otherLog))
        {
            Assert.Equal(1, await other.EndAsync(TimeSpan.FromMinutes(1)));
            var said = string.Join('\n', other.Lines);
            Assert.Contains($"process {capture.Id} of node ", said, StringComparison.Ordinal);
            Assert.Contains(new Npgsql.NpgsqlConnectionStringBuilder(capture.Connection).Database!, said, StringComparison.Ordinal);
        }

        BusyMap.Change(map, 1_000, seed: 2);
        await HasEachOnceAsync(capture, map, changes: 2_000);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_capture_in_another_pid_namespace_is_refused_the_same_way()
    {
        using var map = BusyMap.Create("maplog_ns");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await LogSomeAsync(capture, map);
        var otherLog = await postgres.CreateDatabaseAsync("other");
        await CaptureProcess.PrepareAsync(otherLog);

        using (var other = capture.StartOtherInContainer(otherLog))
        {
            Assert.Equal(1, await other.EndAsync(TimeSpan.FromMinutes(1)));
            var wanted = $"a process in another container (node {Environment.MachineName}, process {capture.Id} by";
            Assert.Contains(other.Lines, l => l.Contains(wanted, StringComparison.Ordinal));
        }

        BusyMap.Change(map, 1_000, seed: 2);
        await HasEachOnceAsync(capture, map, changes: 2_000);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_hook_whose_capture_has_ended_is_kept_for_its_log_until_it_is_detached()
    {
        using var map = BusyMap.Create("maplog_kept");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await LogSomeAsync(capture, map);
        var otherLog = await postgres.CreateDatabaseAsync("other");
        await CaptureProcess.PrepareAsync(otherLog);

        await capture.ReplaceAfterAsync(async () =>
        {
            BusyMap.Change(map, 1_000, seed: 2);
            using var other = capture.StartOther(otherLog);
            Assert.Equal(1, await other.EndAsync(TimeSpan.FromMinutes(1)));
            Assert.Contains(other.Lines, l => l.Contains($"run `maplog detach {CaptureProcess.Source}`", StringComparison.Ordinal));
        });
        await HasEachOnceAsync(capture, map, changes: 2_000);

        var detached = await CommandRun.OfAsync("detach", CaptureProcess.Source, "--pin-root", capture.Registry);
        Assert.Equal("", detached.Error);
        using var heir = capture.StartOther(otherLog);
        await heir.SaysAsync("Capturing source");
        heir.Terminate();
        Assert.Equal(0, await heir.EndAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_suspended_capture_does_not_keep_the_hook_from_its_successor_and_leaves_it_alone_when_it_goes_on()
    {
        using var map = BusyMap.Create("maplog_asleep");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await LogSomeAsync(capture, map);
        capture.Suspend();
        using var successor = capture.StartOther(capture.Connection, "--standby", "true");
        await successor.SaysAsync("Capturing source");
        capture.GoOn();
        await capture.EndsAsync(1);
        BusyMap.Change(map, 1_000, seed: 2);
        while ((await capture.FoldAsync(map.Info.Name)).Changes < 2_000)
            await Task.Delay(100, Cancel);
        successor.Terminate();
        Assert.Equal(0, await successor.EndAsync(TimeSpan.FromMinutes(1)));
        var (fold, changes, gaps) = await capture.FoldAsync(map.Info.Name);
        Assert.Null(BusyMap.Difference(map, fold));
        Assert.Equal((2_000, 0), (changes, gaps));
    }

    [Theory(Timeout = 300_000)]
    [InlineData("pins removed")]
    [InlineData("programs removed")]
    [InlineData("told to ignore the map")]
    [InlineData("ring read by another")]
    public async Task A_capture_whose_hook_is_its_own_no_more_notes_a_gap_and_attaches_it_again(string what)
    {
        using var map = BusyMap.Create("maplog_taken");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await LogSomeAsync(capture, map);
        // The one that runs then has taken the hook over: it holds no program itself.
        await capture.ReplaceAsync(() => { });
        await capture.SaysAsync("known from before: True");
        Spoil(what, capture.Pins, map);

        await capture.SaysAsync("the hook is attached again");
        await capture.LoggedGapAsync(map.Info.Name, "detached");
        BusyMap.Change(map, 1_000, seed: 2);
        while (BusyMap.Difference(map, (await capture.FoldAsync(map.Info.Name)).Fold) is not null)
            await Task.Delay(100, Cancel);
        await capture.StopAsync();
        var gap = await capture.Log.ReadLatestAsync<GapFound>(new StreamName(CaptureProcess.Source, map.Info.Name), Cancel);
        Assert.Equal(("detached", -1), (gap!.Note.Reason, gap.Note.Count));
        Assert.InRange(gap.Note.From, 1, gap.Note.To);
        // Recorded, not found by a scan.
        Assert.Equal(1_000, await capture.CountAsync(map.Info.Name, Origin.Syscall, after: gap.Version));
    }

    private static void Spoil(string what, string pins, BpfMap map)
    {
        switch (what)
        {
            case "pins removed":
                Directory.Delete(pins, recursive: true);
                break;
            case "programs removed":
                foreach (var link in Directory.GetFiles(pins, "link_*"))
                    Bpffs.Unpin(link);
                break;
            case "told to ignore the map":
                using (var verdicts = BpfMap.OpenPinned(Path.Combine(pins, "verdicts")))
                    verdicts.Update(Bytes.Of((int)map.Info.Id), Bytes.Of(1));
                break;
            default:
                using (var ring = BpfMap.OpenPinned(Directory.GetFiles(pins, "ring_*").Single()))
                using (var reader = RingReader.Open(ring))
                {
                    // The daemon releases a record when it is committed, some milliseconds later.
                    for (var round = 0; round < 100; round++)
                    {
                        map.Update(new byte[map.Info.KeySize], new byte[map.Info.ValueSize]);
                        while (reader.TryRead(out var record))
                            reader.Release(record.End);
                    }
                }
                break;
        }
    }

    private static async Task LogSomeAsync(CaptureProcess capture, BpfMap map)
    {
        await capture.WatchesAsync(map.Info.Name);
        BusyMap.Change(map, 1_000);
        await capture.LoggedAsync(map.Info.Name, 1_003);
    }

    private static async Task HasEachOnceAsync(CaptureProcess capture, BpfMap map, int changes)
    {
        await capture.LoggedAsync(map.Info.Name, changes + 3);
        await capture.StopAsync();
        var (fold, logged, gaps) = await capture.FoldAsync(map.Info.Name);
        Assert.Null(BusyMap.Difference(map, fold));
        Assert.Equal((changes, 0), (logged, gaps));
    }
}
