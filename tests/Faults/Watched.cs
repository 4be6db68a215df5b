using Maplog.Cli;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Tests.Faults;

/// <summary>A map under load, its stream, and the replicas of it.</summary>
internal sealed class Watched(StreamName stream, Load load, StreamLedger ledger, params string[] replicas) : IDisposable
{
    private long _madeBefore, _recordedBefore;
    private int _gapsBefore;

    public StreamName Stream => stream;

    public Load Load => load;

    public StreamLedger Ledger => ledger;

    /// <summary>Pins of the replicas; those of a node that writes are no replicas.</summary>
    public IReadOnlyList<string> Replicas { get; set; } = replicas;

    /// <summary>Changes that a promotion left behind in the map of the node that no longer writes.</summary>
    public long Undone { get; private set; }

    /// <summary>Gaps that a fault which may bring them about explains.</summary>
    public long Explained { get; private set; }

    /// <summary>Changes that gaps tell of.</summary>
    public long Lost { get; private set; }

    /// <summary>What is not as it should be after a fault, at rest; null: all is well, and the next fault may come.</summary>
    public string? Examine(Fault fault)
    {
        var made = load.Made - _madeBefore;
        var recorded = ledger.Recorded - _recordedBefore;
        var gaps = ledger.Gaps.Skip(_gapsBefore).ToList();
        var lost = gaps.Where(g => g.Reason is "ring-full" or "unreadable" or "too-long").Sum(g => g.Count);
        // A skipped call may have been a batch, and what else has no count is known by its interval alone.
        var isExact = !fault.HandsOver && gaps.All(g => g.Reason is "ring-full" or "unreadable" or "too-long");
        var account = $"{made} changes were made, {recorded} are logged, and gaps tell of {lost} ({string.Join(", ", gaps.Select(g => $"{g.Reason} {g.Count}"))})";
        if (recorded + lost > made)
            throw new BrokenPromiseException($"{stream}: {account}.");
        if (gaps.FirstOrDefault(g => !IsExplained(g, fault)) is { } strange)
            throw new BrokenPromiseException($"{stream}: a gap '{strange.Reason}' ({strange.Count}) was found, which nothing explains.");
        if (isExact && recorded + lost != made)
            return $"{stream}: {account}.";
        if ((DifferenceOf(ledger, load.Map) ?? Replicas.Select(DifferenceOf).FirstOrDefault(d => d is not null)) is { } difference)
            return difference;
        (_madeBefore, _recordedBefore, _gapsBefore) = (load.Made, ledger.Recorded, ledger.Gaps.Count);
        (Explained, Lost, Undone) = (Explained + gaps.Count, Lost + lost, Undone + (fault.HandsOver ? made - recorded - lost : 0));
        return null;
    }

    /// <summary>Where a replica differs from the log.</summary>
    public string? DifferenceOf(string pin) => DifferenceOf(ledger, pin);

    /// <inheritdoc cref="DifferenceOf(string)"/>
    public static string? DifferenceOf(StreamLedger ledger, string pin)
    {
        try
        {
            using var replica = BpfMap.OpenPinned(pin, MapAccess.Read);
            return DifferenceOf(ledger, replica, mayLack: replica.Info.Type == MapType.LruHash);
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            return $"There is no replica {pin}.";
        }
    }

    /// <summary>Where a map differs from the log.</summary>
    public static string? DifferenceOf(StreamLedger ledger, BpfMap map, bool mayLack = false)
    {
        var fold = ledger.Fold;
        if (fold.Entries.KeySize != map.Info.KeySize || fold.Entries.ValueSize != map.Info.ValueBytes)
            return $"{fold.Stream} has values of {fold.Entries.ValueSize} bytes, {map} of {map.Info.ValueBytes}.";
        var comparison = MapComparison.Of(fold.Entries, LiveMap.Read(map, CancellationToken.None), hasEveryEntry: map.Info.Type == MapType.Array, mayEvict: mayLack, keep: 3);
        return comparison.IsEqual ? null
            : $"{fold.Stream} at version {fold.Version} and {map} differ in {comparison.DifferenceCount} entries: {string.Join(", ", comparison.Differences.Select(d => $"{d.Kind} {Convert.ToHexStringLower(d.Key)}"))}.";
    }

    public void Dispose()
    {
        load.Dispose();
        load.Map.Dispose();
    }

    // On a crowded host the kernel may skip the hook at any time, and counts it.
    private static bool IsExplained(GapFound gap, Fault fault) => gap.Reason == "skipped" || fault.Gaps.Contains(gap.Reason);
}
