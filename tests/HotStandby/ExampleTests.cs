using System.Diagnostics;

namespace Maplog.Tests.HotStandby;

/// <summary>examples/HotStandby as the README shows it: two terminals and curl.</summary>
public sealed class ExampleTests
{
    private static readonly string Example = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "../../../../../examples/HotStandby/bin/Release/net10.0/hot-standby-example.dll"));

    [Fact]
    public async Task The_standby_answers_while_the_primary_is_away_and_the_primary_when_it_is_back()
    {
        await using var world = new World();
        var started = new List<Process>();
        try
        {
            var standby = Start("standby", "1", $"{world.Address.Port}");
            started.Add(standby);
            await AnswersAsync(world, standby);
            foreach (var end in new[] { "INT", "KILL", "STOP" })
            {
                var primary = Start("primary", "0", $"{world.Address.Port}");
                started.Add(primary);
                await AnswersAsync(world, primary);
                using (var kill = Process.Start("kill", [$"-{end}", $"{primary.Id}"]))
                    await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
                await AnswersAsync(world, standby);
                if (end == "STOP")
                    primary.Kill();
                await primary.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Client.Patience, TestContext.Current.CancellationToken);
            }
        }
        finally
        {
            foreach (var process in started)
            {
                process.Kill();
                process.WaitForExit();
                process.Dispose();
            }
            Maplog.HotStandby.StandbyGroup.Remove(Maplog.HotStandby.StandbyGroup.DefaultRoot, "example");
            if (Directory.Exists(Maplog.HotStandby.StandbyGroup.DefaultRoot))
                Directory.Delete(Maplog.HotStandby.StandbyGroup.DefaultRoot);
        }
    }

    [Theory]
    [InlineData("usage: hot-standby-example [NAME] [RANK] [PORT]", "primary", "first")]
    [InlineData("usage: hot-standby-example [NAME] [RANK] [PORT]", "primary", "0", "80000")]
    [InlineData("Member: 'Primary' is not a member name", "Primary")]
    public async Task What_cannot_be_is_a_sentence_and_no_stack_trace(string sentence, params string[] arguments)
    {
        using var example = Start(arguments);
        var output = example.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = await example.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken) + await output;
        await example.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Contains(sentence, error);
        Assert.DoesNotContain("   at ", error);
        Assert.NotEqual(0, example.ExitCode);
    }

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Example, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return Process.Start(start)!;
    }

    private static async Task AnswersAsync(World world, Process process)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(3) };
        var last = "";
        for (var tries = 0; tries < 300; tries++)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{world.Address}/");
                request.Headers.ConnectionClose = true;
                using var response = await client.SendAsync(request);
                last = await response.Content.ReadAsStringAsync();
                if (last.Contains($"(process {process.Id})", StringComparison.Ordinal))
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                last = e.Message; // nobody is there yet, or the one that has it was killed or has just been suspended
            }
            await Task.Delay(50);
        }
        Assert.Fail($"Process {process.Id} did not come to answer: {last}");
    }
}
