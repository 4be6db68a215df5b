using System.Text.Json;
using Maplog.HotStandby;
using Maplog.Tests.Integration.Cli;

namespace Maplog.Tests.HotStandby;

public sealed class CommandTests
{
    [Fact]
    public async Task The_list_tells_each_member_with_what_it_was_given()
    {
        await using var world = new World();
        await world.StartAsync("standby", 1, "timeout=60000");
        await world.StartAsync("primary", 0, "timeout=60000");
        for (var i = 0; i < 3; i++)
            await Client.AskAsync(world.Address);

        var text = await RunAsync(world, "list");
        Assert.Equal($"{world.Name}: ranked, failback at-once, timeout 1000 ms", text.Lines[0]);
        Assert.Equal(["MEMBER", "primary", "standby"], text.Lines[1..].Select(l => l.Split(' ')[0]));

        using var json = JsonDocument.Parse((await RunAsync(world, "list", world.Name, "--json")).Output);
        var members = json.RootElement[0].GetProperty("members").EnumerateArray().ToList();
        Assert.Equal([("primary", "serving", 3ul), ("standby", "well", 0ul)], members.Select(m => (
            m.GetProperty("member").GetString()!, m.GetProperty("state").GetString()!, m.GetProperty("chosen").GetUInt64())));
        Assert.Equal([$"tcp {world.Address}"], members[0].GetProperty("listens").EnumerateArray().Select(l => l.GetString()));
    }

    [Fact]
    public async Task Verbs_change_who_serves_with_the_next_connection()
    {
        await using var world = new World();
        await world.StartAsync("standby", 1);
        await world.StartAsync("primary", 0);
        await SaysAsync("drain", "primary", "Member primary takes no new connections while another member can.", "standby");
        await SaysAsync("resume", "primary", "Member primary takes connections again.", "primary");
        await SaysAsync("promote", "standby", "Member standby is promoted: rank 0.", "standby");
        await SaysAsync("rank", "standby", "Member standby has rank 7.", "primary", "7");
        Assert.Equal("Group web: weighted, failback at-once, timeout 500 ms, refuses when no member is well.\n",
            (await RunAsync(world, "set", world.Name, "--policy", "weighted", "--timeout", "500", "--refuse", "yes")).Output);
        await SaysAsync("weight", "primary", "Member primary has weight 0.", "standby", "0");

        async Task SaysAsync(string verb, string member, string sentence, string serves, params string[] more)
        {
            Assert.Equal(sentence + "\n", (await RunAsync(world, [verb, world.Name, member, .. more])).Output);
            Assert.Equal(serves, await Client.AskAsync(world.Address));
        }
    }

    [Fact]
    public async Task A_watch_tells_who_comes_and_who_goes()
    {
        await using var world = new World();
        var primary = await world.StartAsync("primary", 0, "timeout=60000");
        var watch = RunAsync(world, "watch", world.Name, "--count", "3");
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await world.StartAsync("standby", 1, "timeout=60000");
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await primary.KillAsync();
        var lines = (await watch).Lines;
        Assert.Contains("primary (process", lines[0]);
        Assert.Contains("standby (process", lines[1]);
        Assert.Contains($"primary (process {primary.Pid}): gone", lines[2]);
    }

    [Fact]
    public async Task A_group_or_member_that_is_not_there_is_a_sentence_and_a_group_with_members_stays()
    {
        await using var world = new World();
        await world.StartAsync("primary", 0);
        var run = await RunAsync(world, "list", "wep");
        Assert.Equal((2, $"maplog: There is no group 'wep' in {world.Root}. Did you mean web?\n"), (run.Code, run.Error.Replace("'web'", "web", StringComparison.Ordinal)));
        run = await RunAsync(world, "drain", world.Name, "nobody");
        Assert.Equal((1, "maplog: Group web has no member 'nobody'; it has primary.\n"), (run.Code, run.Error));
        run = await RunAsync(world, "remove", world.Name);
        Assert.Contains("Cannot remove group web: a process is in its slot 0.", run.Error);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
        using var group = world.Group();
        Assert.Single(group.Members());
    }

    [Fact]
    public async Task A_group_of_another_version_is_told_and_the_list_goes_on_with_the_next()
    {
        await using var world = new World();
        await world.StartAsync("primary", 0);
        await StandbyMember.Join(new StandbyOptions { PinRoot = world.Root, Group = "old", Member = "primary" }).DisposeAsync();
        using (var old = StandbyGroup.Find(world.Root, "old")!)
            old.Settings.Layout = 99;
        try
        {
            var run = await RunAsync(world, "list");
            Assert.Contains($"{world.Name}: ranked", run.Output);
            Assert.Contains("its layout is 99", run.Error);
            Assert.Equal(1, run.Code);
            run = await RunAsync(world, "list", "--json");
            using var json = JsonDocument.Parse(run.Output);
            Assert.Equal(world.Name, Assert.Single(json.RootElement.EnumerateArray().ToList()).GetProperty("group").GetString());
            Assert.Equal(1, run.Code);
        }
        finally
        {
            StandbyGroup.Remove(world.Root, "old");
        }
    }

    [Fact]
    public async Task A_watch_ends_with_a_sentence_when_its_group_is_removed()
    {
        await using var world = new World();
        var primary = await world.StartAsync("primary", 0, "timeout=60000");
        var watch = RunAsync(world, "watch", world.Name);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await primary.StopAsync();
        StandbyGroup.Remove(world.Root, world.Name);
        var run = await watch;
        Assert.Equal((1, $"maplog: Group {world.Name} has been removed from {world.Root}.\n"), (run.Code, run.Error));
        Assert.Contains("primary (process", run.Lines[0]);
    }

    private static Task<CommandRun> RunAsync(World world, params string[] arguments) =>
        CommandRun.OfAsync(["standby", .. arguments, "--root", world.Root]);
}
