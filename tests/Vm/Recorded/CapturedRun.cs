using Maplog.Events;
using Maplog.Log;

namespace Maplog.Tests.Recorded;

/// <summary>What was changed, and what was logged of it, in one run of a capture daemon beside mapdriver.</summary>
public sealed class CapturedRun(string probe, string source, DriverRecord driver, LogReader log)
{
    public DriverRecord Driver => driver;

    /// <summary>How many of the driver's changes the probe sees.</summary>
    public int SeenChanges => driver.Rows.Sum(row => driver.ChangesOf(row.Key).Count(c => Sight.Of(probe, driver.Kernel).Blind(c, row.First().Type) is null));

    /// <summary>
    /// Holds a replica of a row's map against the map: of an LRU map, which evicts as it likes, it may have less, and where
    /// evictions go unseen more; of a map with changes that are not seen, what the log has.
    /// </summary>
    public async Task CheckReplicaAsync(string row, IReadOnlyDictionary<string, string> replica)
    {
        var logged = await LoggedMap.ReadAsync(log, new StreamName(source, row));
        new MapCheck(Sight.Of(probe, driver.Kernel), [.. driver.Rows[row]], driver.ChangesOf(row), driver.DumpOf(row)!, logged).TheReplicaIsTheMap(replica);
    }

    /// <summary>Holds a row against the log: each change that the probe sees is one event, in order and byte for byte; what it does not see is named.</summary>
    public async Task CheckAsync(string row)
    {
        var rows = driver.Rows[row].ToList();
        Assert.NotEmpty(rows);
        Assert.DoesNotContain(rows, r => r.Certainty == "failed");
        var changes = driver.ChangesOf(row);
        var logged = await LoggedMap.ReadAsync(log, new StreamName(source, row));
        if (driver.DumpOf(row) is not { } dump)
        {
            // This kernel has no such map: then there is nothing to log.
            Assert.All(rows, r => Assert.Equal("unsupported", r.Certainty));
            Assert.Null(logged.Opened);
            return;
        }
        var shape = Assert.IsType<MapOpened>(logged.Opened).Shape;
        Assert.Equal((rows[0].KeySize, rows[0].ValueSize, probe), (shape.KeySize, shape.ValueSize, logged.Opened.Probe));
        var check = new MapCheck(Sight.Of(probe, driver.Kernel), rows, changes, dump, logged);
        check.NoChangeIsLost();
        check.EveryChangeIsOneEvent();
        check.TheLogLeadsToTheMap();
        check.WhatIsNotSeenIsNamed();
    }
}
