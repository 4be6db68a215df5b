using System.CommandLine;
using System.Globalization;
using Maplog.Btf;
using Maplog.Cli.Describing;
using Maplog.Events;
using Maplog.Folding;

namespace Maplog.Cli.TimeTravel;

/// <summary>The events of a stream that a verb prints. A filter by key, process or origin excludes notes.</summary>
internal sealed class EventFilter
{
    private readonly HashSet<EventKind> _kinds = [];
    private readonly HashSet<Origin> _origins = [];
    private readonly List<string> _processes = [];
    private readonly string? _key;
    private readonly Descriptions _descriptions;
    private FieldPattern? _pattern;
    private bool _isTrie;

    private EventFilter(string? key, Descriptions descriptions) => (_key, _descriptions) = (key, descriptions);

    /// <summary>The filter in words, for a sentence about an empty result; empty: everything.</summary>
    public string Words => string.Join(", ", new[]
    {
        _key is null ? "" : $"key {_key}",
        _kinds.Count == 0 ? "" : $"kind {string.Join(" or ", _kinds.Select(EventWords.Of))}",
        _processes.Count == 0 ? "" : $"process {string.Join(" or ", _processes)}",
        _origins.Count == 0 ? "" : $"origin {string.Join(" or ", _origins.Select(EventWords.Of))}",
    }.Where(w => w.Length > 0));

    /// <summary>Takes the generation of the map to which the next events belong: its keys may differ.</summary>
    public void Open(MapOpened map)
    {
        _pattern = PatternOf(map);
        _isTrie = LpmKey.Applies(map.Shape);
    }

    /// <summary>The wanted keys, in a generation of the map; null: the filter matches none of its keys, or has no key.</summary>
    public FieldPattern? PatternOf(MapOpened map) => _key is null ? null : KeyPattern.Try(_key, map.Shape, _descriptions.Of(map));

    public bool HasKey => _key is not null;

    /// <summary>Whether an event passes the filter, by its kind and by the process that made the change.</summary>
    public bool Wants(EventKind kind, ReadOnlySpan<byte> payload)
    {
        if (_kinds.Count > 0 && !_kinds.Contains(kind))
            return false;
        if (_origins.Count == 0 && _processes.Count == 0 && _key is null)
            return true;
        if (!kind.IsChange())
            return false;
        var change = ChangePayload.Read(payload);
        return Wants(change.Header, change.Comm) && (_key is null || Matches(change.Key));
    }

    /// <summary>The same for a change with a key that was checked already.</summary>
    public bool Wants(KeyChange change) => (_kinds.Count == 0 || _kinds.Contains(change.Kind)) && Wants(change.Header, change.Comm);

    private bool Matches(ReadOnlySpan<byte> key)
    {
        if (_pattern is null)
            return false;
        if (!_isTrie)
            return _pattern.Matches(key);
        var known = key.ToArray();
        LpmKey.Normalise(known);
        return _pattern.Matches(known);
    }

    private bool Wants(ChangeHeader header, string comm) =>
        (_origins.Count == 0 || _origins.Contains(header.Origin))
        && (_processes.Count == 0 || _processes.Contains(comm) || _processes.Contains(header.Tgid.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The options <c>--key</c>, <c>--kind</c>, <c>--process</c> and <c>--origin</c> of a verb.</summary>
    /// <param name="kinds">The kinds of events that the verb prints.</param>
    public sealed class Options(IReadOnlyList<EventKind> kinds)
    {
        public Option<string?> Key { get; } = new("--key") { Description = "Only this key: hex, a number, a network (10.0.0.0/8) of a trie, or fields as saddr=10.0.0.1,dport=443; fields that are not named match anything.", HelpName = "KEY" };

        public Option<string[]> Kind { get; } = new("--kind") { Description = $"Only these kinds: {string.Join(", ", kinds.Select(EventWords.Of))}. Separate several with commas, or repeat the option.", HelpName = "KIND" };

        public Option<string[]> Process { get; } = new("--process") { Description = "Only changes by this process: its pid, or its name (the kernel keeps 15 bytes). Repeatable.", HelpName = "NAME|PID" };

        public Option<string[]> Origin { get; } = new("--origin") { Description = $"Only this origin: {string.Join(", ", EventWords.AllOrigins)}. Separate several with commas, or repeat the option.", HelpName = "ORIGIN" };

        /// <exception cref="UsageException">A word is unknown, or the key does not belong to the map.</exception>
        public EventFilter Read(ParseResult arguments, MapOpened? map, Descriptions descriptions)
        {
            var key = arguments.GetValue(Key);
            if (key is not null && map is not null)
                KeyPattern.Require("--key", key, map.Shape, descriptions.Of(map));
            var filter = new EventFilter(key, descriptions);
            foreach (var word in Split(arguments.GetValue(Kind)))
                filter._kinds.Add(EventWords.KindOf(word) is { } kind && kinds.Contains(kind) ? kind : throw No("--kind", word, kinds.Select(EventWords.Of)));
            foreach (var word in Split(arguments.GetValue(Origin)))
                filter._origins.Add(EventWords.OriginOf(word) ?? throw No("--origin", word, EventWords.AllOrigins));
            foreach (var name in arguments.GetValue(Process) ?? [])
                filter._processes.Add(Comm(name));
            if (map is not null)
                filter.Open(map);
            return filter;
        }

        private static IEnumerable<string> Split(string[]? words) => (words ?? []).SelectMany(w => w.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

        // The kernel cuts the names of processes.
        private static string Comm(string name)
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(name);
            return bytes.Length <= ChangePayload.MaxComm ? name : System.Text.Encoding.UTF8.GetString(bytes.AsSpan(0, ChangePayload.MaxComm));
        }

        private static UsageException No(string option, string word, IEnumerable<string> all)
        {
            var near = Near.Names(word, all);
            return new UsageException($"{option}: there is no '{word}'{(near.Count > 0 ? $". Did you mean {string.Join(" or ", near)}?" : $": write {string.Join(", ", all)}.")}");
        }
    }
}
