using System.Globalization;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;

namespace Maplog.Demo;

/// <summary>What there is to see when the map has come to rest.</summary>
internal sealed class Proof(IScreen screen, string programs, string connection, LogStore store, StreamName stream)
{
    /// <summary>Changes made and changes logged, by who made them.</summary>
    public async Task CountAsync(Traffic traffic, CancellationToken stop)
    {
        var logged = new List<string>();
        long total = 0;
        await using var command = store.Database.CreateCommand("select origin, count(*) from maplog.changes_of($1) group by origin order by origin");
        command.Parameters.Add(new() { Value = stream.ToString() });
        await using var rows = await command.ExecuteReaderAsync(stop);
        while (await rows.ReadAsync(stop))
        {
            total += rows.GetInt64(1);
            logged.Add(Text($"{rows.GetInt64(1):N0} by {rows.GetString(0)}"));
        }
        screen.Say(Text($"made   {traffic.Total:N0} changes: {string.Join(", ", traffic.Made.Select(m => Text($"{m.Changes:N0} by {m.Way}")))}"));
        screen.Say(Text($"logged {total:N0} changes: {string.Join(", ", logged)}"));
    }

    /// <summary>Holds the copies against the source, key by key, on the maps themselves.</summary>
    public bool Compare(BpfMap map, IReadOnlyList<Standby> standbys)
    {
        var source = MapContent.Read(map);
        var equal = true;
        foreach (var standby in standbys)
        {
            using var pinned = BpfMap.OpenPinned(standby.Pin, MapAccess.Read);
            var copy = MapContent.Read(pinned);
            var missing = source.Keys.Count(k => !copy.ContainsKey(k));
            var extra = copy.Keys.Count(k => !source.ContainsKey(k));
            var other = source.Count(e => copy.TryGetValue(e.Key, out var value) && value != e.Value);
            var same = missing + extra + other == 0;
            equal &= same;
            screen.Say(same
                ? Text($"{standby.Name}: its {copy.Count:N0} keys and values are the source's {source.Count:N0}, byte for byte (SHA-256 {MapContent.Hash(copy)}... and {MapContent.Hash(source)}...)")
                : Text($"{standby.Name} DIFFERS: of the source's {source.Count:N0} entries {missing:N0} are missing and {other:N0} have another value; {extra:N0} are too many"));
        }
        return equal;
    }

    /// <summary>The same by maplog's own command, which holds a map against what its log comes to.</summary>
    public async Task<bool> VerifyAsync(IEnumerable<string> pins, CancellationToken stop)
    {
        var equal = true;
        foreach (var pin in pins)
        {
            var (code, output, errors) = await Commands.TryRunAsync($"{programs}/maplog", ["verify", stream.ToString(), pin, "--log", connection], stop);
            screen.Say($"maplog verify {stream} {pin}\n    {(output + errors).Trim()}");
            equal &= code == 0;
        }
        return equal;
    }

    /// <summary>The last changes as anybody can ask Postgres for them.</summary>
    public async Task ShowLastChangesAsync(CancellationToken stop)
    {
        var query = $"""
            select version, to_char(at, 'HH24:MI:SS.MS') as at, kind, origin, comm, encode(key, 'hex') as key
            from maplog.changes_of('{stream}') order by version desc limit 8
            """;
        screen.Say($"the last changes, in SQL:\n{query}");
        await using var command = store.Database.CreateCommand(query);
        await using var rows = await command.ExecuteReaderAsync(stop);
        var all = new List<IReadOnlyList<string>>();
        while (await rows.ReadAsync(stop))
            all.Add([.. Enumerable.Range(0, rows.FieldCount).Select(i => Convert.ToString(rows.GetValue(i), CultureInfo.InvariantCulture)!)]);
        screen.Table([.. Enumerable.Range(0, rows.FieldCount).Select(rows.GetName)], all);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
