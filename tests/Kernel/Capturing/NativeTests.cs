namespace Maplog.Tests.Kernel.Capturing;

/// <summary>What a capture daemon logs of this kernel's own maps. With the syscall probe, which every kernel allows; the others are tested in virtual machines.</summary>
public sealed class NativeTests(NativeRun run) : IClassFixture<NativeRun>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static TheoryData<string> Rows => [.. NativeRun.NamesOf("rows")];

    public static TheoryData<string> Births => [.. NativeRun.NamesOf("born")];

    [Theory, MemberData(nameof(Rows))]
    public async Task Every_change_that_the_probe_covers_is_logged_exactly_once(string row) => await run.MapsThatWereThere.CheckAsync(row, Patience);

    [Theory, MemberData(nameof(Births))]
    public async Task A_map_is_caught_from_its_first_change_and_so_is_its_successor(string row) => await run.MapsJustBorn.CheckAsync(row, Patience);
}
