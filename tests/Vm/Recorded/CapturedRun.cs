using System.Diagnostics;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Tests.Recorded;

/// <summary>What was changed, and what was logged of it, in one run of a capture daemon beside mapdriver.</summary>
public sealed class CapturedRun(string probe, string source, DriverRecord driver, LogReader log)
{
    public DriverRecord Driver => driver;

    /// <summary>Holds a replica of a row's map against the map.</summary>
    public async Task CheckReplicaAsync(string row, IReadOnlyDictionary<string, string> replica) =>
        Assert.Null((await ReadAsync(row, driver.DumpOf(row)!)).Check.DifferenceOfTheReplica(replica));

    /// <summary>
    /// Holds a row against the log: each change that the probe sees is one event, in order and byte for byte; what it does not
    /// see is named, and found by the background scan.
    /// </summary>
    /// <param name="row">The map.</param>
    /// <param name="patience">For the background scan, where the daemon is still running.</param>
    public async Task CheckAsync(string row, TimeSpan patience = default)
    {
        var rows = driver.Rows[row].ToList();
        Assert.NotEmpty(rows);
        Assert.DoesNotContain(rows, r => r.Certainty == "failed");
        if (driver.DumpOf(row) is not { } dump)
        {
            // This kernel has no such map: then there is nothing to log.
            Assert.All(rows, r => Assert.Equal("unsupported", r.Certainty));
            Assert.Null((await LoggedMap.ReadAsync(log, new StreamName(source, row))).Opened);
            return;
        }
        var (logged, check) = await ReadAsync(row, dump);
        for (var since = Stopwatch.StartNew(); !check.IsAllLogged && since.Elapsed < patience; (logged, check) = await ReadAsync(row, dump))
            await Task.Delay(200);
        var shape = Assert.IsType<MapOpened>(logged.Opened).Shape;
        Assert.Equal((rows[0].KeySize, rows[0].ValueSize, probe), (shape.KeySize, shape.ValueSize, logged.Opened.Probe));
        check.NoChangeIsLost();
        check.EveryChangeIsOneEvent();
        Assert.Null(check.DifferenceOfTheLog());
        check.WhatIsNotSeenIsNamed();
    }

    /// <summary>Holds what the log comes to against what the row's map held in the end, where nobody knows in which order its writers came.</summary>
    public async Task CheckContentAsync(string row)
    {
        Assert.DoesNotContain(driver.Rows[row], r => r.Certainty == "failed");
        var (logged, check) = await ReadAsync(row, driver.DumpOf(row)!);
        Assert.True(logged.Changes.Count > 0, $"Nothing of {row} was logged.");
        Assert.Null(check.DifferenceOfTheLog());
    }

    /// <summary>
    /// Over the maps of each type: changes that the probe covers, how many of them it recorded, and how many the rest may be by the
    /// log's own account. A skipped call is a gap in the log of every map of its type, for it was one map's, nobody knows which.
    /// </summary>
    public async Task<IReadOnlyList<(string Type, int Covered, int Recorded, long Accounted)>> CountAsync()
    {
        var checks = new List<(string Type, MapCheck Check)>();
        foreach (var row in driver.Rows)
        {
            if (driver.DumpOf(row.Key) is { } dump)
                checks.Add((row.First().Type, (await ReadAsync(row.Key, dump)).Check));
        }
        return [.. checks.GroupBy(c => c.Type, c => c.Check).Select(type => (type.Key, type.Sum(c => c.Counts.Covered), type.Sum(c => c.Counts.Recorded), type.Max(c => c.Skips) * MapCheck.DriverBatch))];
    }

    /// <summary>Whether nothing more of a row is to come.</summary>
    public async Task<bool> IsAllLoggedAsync(string row) => driver.DumpOf(row) is not { } dump || (await ReadAsync(row, dump)).Check.IsAllLogged;

    private async Task<(LoggedMap Logged, MapCheck Check)> ReadAsync(string row, IReadOnlyDictionary<string, string> dump)
    {
        var logged = await LoggedMap.ReadAsync(log, new StreamName(source, row));
        return (logged, new MapCheck(Sight.Of(probe, driver.Kernel), [.. driver.Rows[row]], driver.ChangesOf(row), dump, logged));
    }
}
