namespace Maplog.Benchmarks;

/// <summary>How much is measured. A short run shows that the rows work; its ratios say little.</summary>
/// <param name="Entries">Entries of the map.</param>
/// <param name="Events">Events of the stream.</param>
/// <param name="AppendSeconds">How long each kind of append is measured.</param>
/// <param name="Rounds">Runs of each side; the median counts.</param>
internal sealed record Sizes(int Entries, int Events, int AppendSeconds, int Rounds)
{
    public const int KeySize = 24, ValueSize = 64;

    public static Sizes Full { get; } = new(1_000_000, 10_000_000, 10, 3);

    public static Sizes Short { get; } = new(20_000, 200_000, 1, 1);
}
