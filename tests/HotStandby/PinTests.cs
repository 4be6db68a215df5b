using Maplog.HotStandby;
using Maplog.Kernel;

namespace Maplog.Tests.HotStandby;

/// <summary>A group's pins while members come and go, and others look or remove.</summary>
public sealed class PinTests
{
    [Fact]
    public async Task A_group_of_any_legal_name_is_nobodys_leftover()
    {
        await using var world = new World();
        await using (Join(world, "one", "api_new_4194303")) // no process has that number
        await using (Join(world, "one", "web"))
            Assert.Equal(["api_new_4194303", "web"], StandbyGroup.Names(world.Root));
        Assert.True(StandbyGroup.Remove(world.Root, "api_new_4194303"));
    }

    [Fact]
    public async Task What_a_living_process_has_not_finished_stays_and_what_a_dead_one_left_goes()
    {
        await using var world = new World();
        var (living, dead) = (Path.Combine(world.Root, PinnedFolder.Mark + "living"), Path.Combine(world.Root, PinnedFolder.Mark + "dead"));
        Bpffs.EnsureMounted(living);
        Bpffs.EnsureMounted(dead);
        using (FolderLock.TryTake(living))
        {
            await Join(world, "primary", world.Name).DisposeAsync();
            Assert.Equal((true, false), (Directory.Exists(living), Directory.Exists(dead)));
            Assert.Equal([world.Name], StandbyGroup.Names(world.Root));
        }
        Directory.Delete(living);
    }

    [Fact]
    public async Task Who_joins_while_the_group_is_removed_is_in_the_group_that_is_there()
    {
        const int rounds = 300;
        await using var world = new World();
        var stop = false;
        var remover = Task.Run(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                try
                {
                    StandbyGroup.Remove(world.Root, world.Name);
                }
                catch (StandbyException)
                {
                    // Somebody is in it.
                }
            }
        }, TestContext.Current.CancellationToken);
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                await using var member = Join(world, "primary", world.Name);
                using var group = world.Group();
                Assert.Equal(member.Slot, Assert.Single(group.Members()).Slot);
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            await remover;
        }
    }

    [Fact]
    public async Task A_restart_is_not_refused_because_somebody_looks_at_the_dead()
    {
        const int rounds = 300;
        await using var world = new World();
        await Join(world, "primary", world.Name).DisposeAsync();
        using var group = world.Group();
        var stop = false;
        var watcher = Task.Run(() =>
        {
            using var other = world.Group();
            while (!Volatile.Read(ref stop))
                other.Members();
        }, TestContext.Current.CancellationToken);
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                group.Record(0).Incarnation = 1; // as one leaves it that was killed
                await Join(world, "primary", world.Name).DisposeAsync();
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            await watcher;
        }
    }

    [Fact]
    public async Task A_program_of_another_build_is_replaced_by_who_joins()
    {
        await using var world = new World();
        await using var standby = new LocalMember(world, "standby", 1);
        standby.Serve(world.Address);
        string pin;
        using (var group = world.Group())
            pin = Path.Combine(Assert.Single(Directory.GetDirectories(group.EndpointsFolder)), "program");
        Bpffs.Unpin(pin);
        using (var stream = typeof(PinTests).Assembly.GetManifestResourceStream("older_standby.bpf.o")!)
        {
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            using var older = BpfObject.Open(bytes, "older");
            older.Load();
            older.Program(StandbyImage.Migrate).Pin(pin);
        }
        await using (var early = new LocalMember(world, "early", 2))
        {
            var said = new List<string>();
            await using var primary = new LocalMember(world, "primary", 0, o => o.Complain = said.Add);
            primary.Serve(world.Address);
            Assert.Equal("primary", await Client.AskAsync(world.Address));
            Assert.Contains($"The program that chose for group {world.Name} at tcp {world.Address} belonged to another build", Assert.Single(said));
        }
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        var again = new List<string>();
        await using var same = new LocalMember(world, "same", 3, o => o.Complain = again.Add);
        same.Serve(world.Address);
        Assert.Empty(again);
    }

    [Fact]
    public async Task What_an_operator_has_set_goes_on_with_who_joins_while_the_older_drains()
    {
        await using var world = new World();
        await using var older = Join(world, "primary", world.Name);
        using var group = world.Group();
        group.Weigh("primary", 5);
        group.Rank("primary", 7);
        older.Drain();
        await using var newer = Join(world, "primary", world.Name);
        Assert.NotEqual(older.Slot, newer.Slot);
        await older.DisposeAsync();
        Assert.Equal((5, 7), (world.Member("primary").Weight, world.Member("primary").Rank));
        // And on: the slot of the first is free, and remembers an older word.
        group.Weigh("primary", 6);
        await newer.DisposeAsync();
        await using var last = Join(world, "primary", world.Name);
        Assert.Equal((6, 7), (world.Member("primary").Weight, world.Member("primary").Rank));
    }

    private static StandbyMember Join(World world, string name, string group) =>
        StandbyMember.Join(new StandbyOptions { PinRoot = world.Root, Group = group, Member = name, Heartbeat = false });
}
