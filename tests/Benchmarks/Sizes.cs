namespace Maplog.Benchmarks;

/// <summary>How much is measured. A short run shows that the rows work; its ratios say little.</summary>
/// <param name="Entries">Entries of the map.</param>
/// <param name="Events">Events of the stream.</param>
/// <param name="AppendSeconds">How long each kind of append is measured.</param>
/// <param name="Rounds">Runs of each side; the median counts.</param>
/// <param name="EndToEndSeconds">How long the whole pipeline is kept busy.</param>
/// <param name="LagSeconds">How long each rate is held whose lag is measured.</param>
/// <param name="GrowthSeconds">The same, for each size of what grows.</param>
/// <param name="WarmSeconds">So long before a lag of those counts: .NET compiles what runs often.</param>
/// <param name="Replicated">Entries of the map that is replicated.</param>
/// <param name="Behind">Changes that a replica lacks which catches up.</param>
/// <param name="Maps">The most maps of one capture and one replicator.</param>
internal sealed record Sizes(int Entries, int Events, int AppendSeconds, int Rounds, int EndToEndSeconds, int LagSeconds, int GrowthSeconds, int WarmSeconds, int Replicated, int Behind, int Maps)
{
    public const int KeySize = 24, ValueSize = 64;

    public static Sizes Full { get; } = new(1_000_000, 10_000_000, 10, 3, 180, 120, 15, 10, 200_000, 5_000_000, 256);

    /// <summary>The same with the pipeline's rows so long.</summary>
    public Sizes Lasting(int seconds) => this with { EndToEndSeconds = seconds, LagSeconds = seconds, GrowthSeconds = seconds };

    public static Sizes Short { get; } = new(20_000, 200_000, 1, 1, 3, 3, 2, 1, 20_000, 200_000, 8);
}
