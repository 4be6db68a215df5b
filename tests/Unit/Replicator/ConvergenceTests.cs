using CsCheck;
using Xunit;

namespace Maplog.Tests.Unit.Replicator;

/// <summary>Two nodes that take turns as the writer, a log, a bus that does its worst and replicas that crash, all in memory.</summary>
public class ConvergenceTests
{
    private static readonly Gen<Act> Acts = Gen.Frequency(
        (30, Gen.Const(Act.Write)), (2, Gen.Const(Act.NewTerm)), (1, Gen.Const(Act.NewMap)), (8, Gen.Const(Act.Beat)),
        (30, Gen.Const(Act.Deliver)), (8, Gen.Const(Act.Double)), (8, Gen.Const(Act.Lose)), (3, Gen.Const(Act.Garble)),
        (3, Gen.Const(Act.Forge)), (4, Gen.Const(Act.Tick)), (3, Gen.Const(Act.Crash)), (3, Gen.Const(Act.CrashBetween)));

    private static readonly Gen<Act> WithPromotions = Gen.Frequency((20, Acts), (1, Gen.Const(Act.Promote)), (1, Gen.Const(Act.Depose)));

    [Fact]
    public void Whatever_the_bus_does_and_whenever_the_replica_dies_it_ends_equal_to_the_log() => Converges(Acts);

    [Fact]
    public void Even_a_log_that_lost_its_last_commits_is_followed_in_the_end() =>
        Converges(Gen.Frequency((40, Acts), (1, Gen.Const(Act.LoseLog)), (1, Gen.Const(Act.CrashBeforeRepair))));

    [Fact]
    public void Whoever_is_promoted_in_between_a_promoted_replica_is_what_the_log_comes_to_and_the_old_writer_ends_equal_too() => Converges(WithPromotions);

    [Fact]
    public void And_all_of_it_together() =>
        Converges(Gen.Frequency((40, WithPromotions), (1, Gen.Const(Act.LoseLog)), (1, Gen.Const(Act.CrashBeforeRepair))));

    private static void Converges(Gen<Act> acts) => Gen.Select(acts, Gen.Int[0, 1_000_000]).Array[0, 300].Sample(Converges, iter: 2000);

    private static bool Converges((Act Act, int Dice)[] acts)
    {
        var world = new ConvergenceWorld();
        foreach (var (act, dice) in acts)
            world.Do(act, dice);
        world.Settle();
        return world.IsEqual();
    }
}
