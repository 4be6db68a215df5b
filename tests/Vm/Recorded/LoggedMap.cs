using Maplog.Events;
using Maplog.Folding;
using Maplog.Log;

namespace Maplog.Tests.Recorded;

/// <summary>A stream as the log has it, read to its end.</summary>
public sealed class LoggedMap
{
    private readonly List<LoggedChange> _changes = [];
    private readonly List<GapFound> _gaps = [];
    private readonly StreamFold _fold;

    private LoggedMap(StreamName name) => _fold = new StreamFold(name);

    public IReadOnlyList<LoggedChange> Changes => _changes;

    public IReadOnlyList<GapFound> Gaps => _gaps;

    /// <summary>The last time the map was opened; null: never.</summary>
    public MapOpened? Opened => _fold.Generation;

    /// <summary>How often it was opened.</summary>
    public int Generations { get; private set; }

    public static async Task<LoggedMap> ReadAsync(LogReader log, StreamName name)
    {
        var map = new LoggedMap(name);
        await foreach (var page in log.ReadAsync(name, cancellation: TestContext.Current.CancellationToken))
        {
            foreach (var logged in page)
                map.Take(logged);
        }
        return map;
    }

    /// <summary>What the events come to, key to value in hex.</summary>
    public IReadOnlyDictionary<string, string> Fold()
    {
        var entries = new Dictionary<string, string>();
        foreach (var entry in _fold.Entries)
            entries.Add(Convert.ToHexStringLower(entry.Key), Convert.ToHexStringLower(entry.Value));
        return entries;
    }

    private void Take(in LoggedEvent logged)
    {
        Assert.True(_fold.Apply(logged));
        if (logged.Kind == EventKind.MapOpened)
            Generations++;
        if (logged.Kind == EventKind.GapFound)
            _gaps.Add((GapFound)NoteCodec.Read(logged.Kind, logged.Data.Span));
        if (!logged.Kind.IsChange())
            return;
        var change = ChangePayload.Read(logged.Data.Span);
        _changes.Add(new LoggedChange(logged.Kind, Convert.ToHexStringLower(change.Key), ValueOf(change), change.Header.Origin));
    }

    private string ValueOf(in ChangeView change) =>
        change.HasParts && _fold.Entries.TryGet(change.Key, out var whole) ? Convert.ToHexStringLower(whole) : Convert.ToHexStringLower(change.Value);
}
