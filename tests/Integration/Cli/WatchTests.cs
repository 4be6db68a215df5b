using System.Diagnostics;
using System.Text.Json;
using Maplog.Events;
using Maplog.Servers;
using Maplog.Tests.Recorded;
using Xunit;

namespace Maplog.Tests.Integration.Cli;

public sealed class WatchTests(TestPostgres postgres)
{
    private const int Interrupt = 2;

    [Fact]
    public async Task Watch_prints_every_event_from_the_version_asked_for()
    {
        await using var log = await LogAsync();
        var text = await log.RunAsync("watch", "lb-1/ct_map", "--from", "2", "--count", "3");
        Assert.Equal(0, text.Code);
        Assert.Equal(
            """
            2026-03-01T12:00:02.000000Z         2  added    program bpftool[4711] cpu3  0100 -> 0a
            2026-03-01T12:00:03.000000Z         3  deleted  program bpftool[4711] cpu3  0100
            2026-03-01T12:00:04.000000Z         4  gap_found  {"to": 20, "from": 10, "count": 3, "epoch": 1, "reason": "ring-full"}

            """,
            text.Output);

        var json = (await log.RunAsync("watch", "lb-1/ct_map", "--from", "1", "--count", "4", "--json")).Lines;
        Assert.Equal("map_opened", JsonDocument.Parse(json[0]).RootElement.GetProperty("kind").GetString());
        Assert.Equal(
            """{"version":2,"at":"2026-03-01T12:00:02.000000Z","kind":"added","key":"0100","value":"0a","origin":"program","comm":"bpftool","tgid":4711,"cpu":3,"epoch":1,"kernel_time":1000002,"ring_position":128,"record_index":0}""",
            json[1]);
        Assert.Equal(3, JsonDocument.Parse(json[3]).RootElement.GetProperty("note").GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Watch_as_a_process_prints_what_comes_and_ends_well_on_ctrl_c()
    {
        await using var log = await LogAsync();
        using var watch = Start(log);
        try
        {
            var line = await ChangeUntilAsync(log, watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask());
            Assert.Equal("updated", JsonDocument.Parse(line!).RootElement.GetProperty("kind").GetString());

            using (var kill = Process.Start("kill", [$"-{Interrupt}", $"{watch.Id}"]))
                await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
            await watch.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, watch.ExitCode);
            Assert.Empty(await watch.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        }
        finally
        {
            watch.Kill();
        }
    }

    [Fact]
    public async Task Watch_ends_when_nobody_reads_it_any_more()
    {
        await using var log = await LogAsync();
        using var watch = Start(log);
        try
        {
            await ChangeUntilAsync(log, watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask());
            watch.StandardOutput.Close();
            await ChangeUntilAsync(log, EndAsync());
            Assert.Equal(0, watch.ExitCode);
            Assert.Empty(await watch.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        }
        finally
        {
            watch.Kill();
        }

        async Task<string?> EndAsync()
        {
            await watch.WaitForExitAsync(TestContext.Current.CancellationToken);
            return null;
        }
    }

    private static Process Start(CommandLog log) => Process.Start(new ProcessStartInfo(Path.Combine(Repository.Bin, "maplog"), ["watch", "lb-1/ct_map", "--json"])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        Environment = { ["Maplog__Log__ConnectionString"] = log.Connection },
    })!;

    // A watch begins at the head as it finds it, whenever that is: changes go on until they are answered.
    private static async Task<string?> ChangeUntilAsync(CommandLog log, Task<string?> answer)
    {
        while (!answer.IsCompleted)
        {
            log.Change(EventKind.EntryUpdated, [1, 0], 0xb);
            await log.CommitAsync();
            await Task.WhenAny(answer, Task.Delay(100, TestContext.Current.CancellationToken));
        }
        return await answer;
    }

    private async Task<CommandLog> LogAsync()
    {
        var log = await CommandLog.MakeAsync(postgres);
        log.Note(CommandLog.Map(new MapShape(1, 2, 1, 16, 0, 0)));
        log.Change(EventKind.EntryAdded, [1, 0], 0xa);
        log.Change(EventKind.EntryDeleted, [1, 0]);
        log.Note(new GapFound(1, "ring-full", 3, 10, 20));
        await log.CommitAsync();
        return log;
    }
}
