namespace Maplog.Tests.Vm;

/// <summary>
/// On stock Debian kernels, with the probes that the kernel of the machine itself may not have: what is done to maps in
/// every way there is, is in the log, each change once, byte for byte and in order; and what a probe cannot see is named.
/// </summary>
public sealed class GuestTests(GuestRuns guests)
{
    private static readonly string[] Stormed = ["storm", "storm_lru"];

    public static IEnumerable<(string Kernel, string Probe)> Guests => GuestRuns.Suites.SelectMany(_ => GuestRuns.Probes, (kernel, probe) => (kernel, probe));

    public static IEnumerable<(string Kernel, string Probe, string Row)> Rows => Guests.SelectMany(_ => GuestRun.NamesOf("rows"), (g, row) => (g.Kernel, g.Probe, row));

    public static IEnumerable<(string Kernel, string Probe, string Row)> Births => Guests.SelectMany(_ => GuestRun.NamesOf("born"), (g, row) => (g.Kernel, g.Probe, row));

    public static IEnumerable<(string Kernel, string Probe, string Map)> Storms => Guests.SelectMany(_ => Stormed, (g, map) => (g.Kernel, g.Probe, map));

    public static IEnumerable<(string Kernel, string Probe, string Map)> Replicas => Guests.SelectMany(_ => GuestRun.Replicas, (g, map) => (g.Kernel, g.Probe, map));

    [Theory, MemberData(nameof(Guests))]
    public async Task The_guest_runs_to_its_end(string kernel, string probe) => await guests.EndedAsync(kernel, probe);

    [Theory, MemberData(nameof(Rows))]
    public async Task Every_change_that_the_probe_covers_is_logged_exactly_once(string kernel, string probe, string row) =>
        await (await guests.OfAsync(kernel, probe)).MapsThatWereThere.CheckAsync(row);

    [Theory, MemberData(nameof(Guests))]
    public async Task What_the_kernel_skips_is_the_exception(string kernel, string probe)
    {
        // Of single maps a crowded, preemptible kernel may skip a whole burst: the rows above allow for it, as far as it is counted.
        var types = await (await guests.OfAsync(kernel, probe)).MapsThatWereThere.CountAsync();
        var (covered, recorded) = (types.Sum(t => t.Covered), types.Sum(t => t.Recorded));
        TestContext.Current.TestOutputHelper?.WriteLine($"{kernel}, {probe}: {recorded} of {covered} changes that the probe covers were recorded");
        Assert.True(covered > 1000 && recorded >= 0.9 * covered, $"{recorded} of {covered}");
        // What the rows allow each map of a type, all of them together may lack once. Of kprobes the kernel skips more than it can tell apart.
        if (probe == "fentry")
            Assert.All(types, t => Assert.True(t.Covered - t.Recorded <= t.Accounted, $"{t.Type}: {t.Recorded} of {t.Covered} changes were recorded; by the log's gaps no more than {t.Accounted} may be missing."));
    }

    [Theory, MemberData(nameof(Births))]
    public async Task A_map_is_caught_from_its_first_change_and_so_is_its_successor(string kernel, string probe, string row) =>
        await (await guests.OfAsync(kernel, probe)).MapsJustBorn.CheckAsync(row);

    [Theory, MemberData(nameof(Storms))]
    public async Task A_storm_of_all_writers_on_two_cpus_is_logged_to_the_last_change(string kernel, string probe, string map) =>
        await (await guests.OfAsync(kernel, probe)).AllAtOnce.CheckAsync(map);

    [Theory, MemberData(nameof(Guests))]
    public async Task After_all_writers_fought_over_the_same_keys_the_log_comes_to_what_the_map_holds(string kernel, string probe) =>
        await (await guests.OfAsync(kernel, probe)).AllOnTheSameKeys.CheckContentAsync("fight");

    [Theory, MemberData(nameof(Replicas))]
    public async Task A_replica_is_what_its_map_is(string kernel, string probe, string map) => await (await guests.OfAsync(kernel, probe)).CheckReplicaAsync(map);
}
