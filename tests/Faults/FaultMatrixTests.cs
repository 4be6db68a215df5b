using System.Diagnostics;
using System.Globalization;

namespace Maplog.Tests.Faults;

/// <summary>
/// Whatever goes wrong, in whatever order, while the maps change: afterwards the log comes to the map and to every replica, no
/// version is missing and none double, and what was lost stands in a gap. <c>MAPLOG_FAULT_SEED</c> repeats an order,
/// <c>MAPLOG_FAULT_ONLY</c> takes those that begin so, <c>MAPLOG_SOAK_MINUTES</c> goes on for so long.
/// </summary>
public sealed class FaultMatrixTests
{
    private static readonly Fault[] Faults = [.. CaptureFaults.All, .. LossFaults.All, .. GenerationFaults.All, .. BusFaults.All, .. LogFaults.All, .. ReplicaFaults.All, .. WriterFaults.All];

    // The maps were there before their hook.
    private static readonly Fault Beginning = new("the beginning", _ => Task.CompletedTask, "late-attach");

    // A daemon that never says what is waited for does not hold up the run.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task After_every_fault_the_log_the_map_and_every_replica_are_one_and_every_loss_is_told()
    {
        var seed = int.TryParse(Setting("MAPLOG_FAULT_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next();
        var minutes = double.TryParse(Setting("MAPLOG_SOAK_MINUTES"), CultureInfo.InvariantCulture, out var asked) ? asked : 0;
        Say($"seed {seed} (MAPLOG_FAULT_SEED repeats this order)");
        await using var world = await World.StartAsync(seed);
        var (began, injected) = (Stopwatch.StartNew(), 0);
        await StepAsync(world, Beginning);
        do
        {
            foreach (var fault in Drawn(world.Random))
            {
                var since = began.Elapsed;
                await StepAsync(world, fault);
                Say($"{++injected,4} {fault}: {(began.Elapsed - since).TotalSeconds:0.0} s");
                if (minutes > 0 && began.Elapsed.TotalMinutes >= minutes)
                    break;
            }
        }
        while (began.Elapsed.TotalMinutes < minutes);
        Say(Figures(world, injected, seed));
    }

    private static async Task StepAsync(World world, Fault fault)
    {
        try
        {
            world.Pour();
            await world.WaitAsync(300, 900);
            await fault.InjectAsync(world).WaitAsync(Longest);
            world.Pour();
            await world.WaitAsync(200, 600);
            world.PauseLoads();
            await world.SettleAsync(fault);
        }
        catch (Exception e)
        {
            throw new BrokenPromiseException($"{fault}: {e.Message}\n{world.LastLines(12)}", e);
        }
    }

    // Each once, in random order.
    private static List<Fault> Drawn(Random random)
    {
        var drawn = Faults.Where(f => f.Name.StartsWith(Setting("MAPLOG_FAULT_ONLY"), StringComparison.Ordinal)).ToArray();
        random.Shuffle(drawn);
        return [.. drawn];
    }

    private static string Figures(World world, int injected, int seed)
    {
        var maps = world.Maps.ToList();
        return $"""
            seed {seed}: {injected} faults injected, {maps.Sum(m => m.Ledger.Events)} events logged of {maps.Sum(m => m.Load.Made)} changes made,
            {maps.Sum(m => m.Ledger.Gaps.Count)} gaps found, {maps.Sum(m => m.Explained)} gaps explained: {maps.Sum(m => m.Lost)} changes lost, all of them told;
            {maps.Sum(m => m.Ledger.Corrections)} changes found by reading the maps, {maps.Sum(m => m.Undone)} left behind by promotions;
            the last message before a silence lost {world.Silences.Count} times, the replicas level after {string.Join(", ", world.Silences.Select(s => $"{s.TotalSeconds:0.0} s"))}
            """;
    }

    private static string Setting(string name) => Environment.GetEnvironmentVariable(name) ?? "";

    private static void Say(string line) => Console.WriteLine($"  {line}");
}
