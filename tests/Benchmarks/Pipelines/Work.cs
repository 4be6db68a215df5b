using System.Globalization;

namespace Maplog.Benchmarks.Pipelines;

/// <summary>What mapdriver does to the watched maps.</summary>
/// <param name="Maps">How many, in turn.</param>
/// <param name="Entries">Keys of each.</param>
/// <param name="Seconds">How long, after every key was written once.</param>
/// <param name="Rate">Changes a second in all; 0: as fast as the ring is emptied.</param>
/// <param name="Batch">Entries of one bpf(2) call.</param>
/// <param name="Count">So many changes instead of so long.</param>
internal sealed record Work(int Maps, int Entries, double Seconds, int Rate = 0, int Batch = 256, int Count = 0)
{
    // A prefix of its own for each, so that several can come after each other in one log; the last by its name too: at the right end of
    // an index Postgres appends fastest, which one map has and many cannot have.
    private static int _works;

    private readonly string _prefix = $"run{++_works:00}_";

    public string Watch => $"{_prefix}*";

    public IReadOnlyList<string> Names => Maps == 1 ? [_prefix] : [.. Enumerable.Range(0, Maps).Select(i => $"{_prefix}{i}")];

    /// <param name="ring">The hook's ring; null: it waits for nobody.</param>
    /// <param name="pins">Where the maps are pinned.</param>
    public string[] Arguments(string? ring, string pins) =>
    [
        "bench-batch", "--stepwise", "--map", _prefix, "--maps", $"{Maps}", "--keys", $"{Entries}", "--key-size", $"{Sizes.KeySize}", "--value-size", $"{Sizes.ValueSize}",
        "--batch", $"{Batch}", "--pin", pins,
        .. Count > 0 ? new[] { "--count", $"{Count}" } : ["--seconds", Seconds.ToString(CultureInfo.InvariantCulture)],
        .. Rate > 0 ? new[] { "--rate", $"{Rate}" } : [], .. ring is null ? [] : new[] { "--ring", ring },
    ];
}
