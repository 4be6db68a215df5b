using Maplog.Btf;
using Maplog.Events;

namespace Maplog.Capture.Watching;

/// <summary>Which bytes of the values of which maps count as changes in place.</summary>
/// <param name="Volatile">Bytes that do not.</param>
/// <param name="OnChangeOf">Of the maps named here, the bytes that alone do.</param>
internal sealed record VolatileRules(IReadOnlyList<VolatileRule> Volatile, IReadOnlyList<VolatileRule> OnChangeOf)
{
    public static VolatileRules None { get; } = new([], []);

    /// <param name="stream">The map's half of its stream's name.</param>
    /// <param name="opened">The map, with its BTF.</param>
    /// <param name="unknown">Rules that name no bytes of this map.</param>
    /// <returns>Null: every byte counts.</returns>
    public VolatileBytes? Of(string stream, MapOpened opened, out IReadOnlyList<VolatileRule> unknown)
    {
        var missing = new List<VolatileRule>();
        unknown = missing;
        var (hidden, counted) = (Volatile.Where(r => r.Map == stream).ToList(), OnChangeOf.Where(r => r.Map == stream).ToList());
        if (hidden.Count == 0 && counted.Count == 0)
            return null;
        var value = (opened.Fields ?? FieldTypes.Of(opened))?.Value;
        var shape = opened.Shape;
        var isHidden = new bool[shape.ValueSize];
        var found = Find(counted);
        // A field that is misspelt may be the one that matters: then nothing is hidden.
        if (found.Count > 0 && found.Count == counted.Count)
            Array.Fill(isHidden, true);
        foreach (var (at, size) in found)
            isHidden.AsSpan(at, size).Clear();
        foreach (var (at, size) in Find(hidden))
            isHidden.AsSpan(at, size).Fill(true);
        var ranges = Ranges(isHidden);
        return ranges.Count == 0 ? null : new VolatileBytes(ranges, shape);

        List<(int At, int Size)> Find(List<VolatileRule> rules)
        {
            var places = new List<(int, int)>();
            foreach (var rule in rules)
            {
                if (rule.Find(shape, value) is { } place)
                    places.Add(place);
                else
                    missing.Add(rule);
            }
            return places;
        }
    }

    private static List<(int At, int Size)> Ranges(bool[] isHidden)
    {
        var ranges = new List<(int, int)>();
        for (var i = 0; i < isHidden.Length; i++)
        {
            var begin = i;
            while (i < isHidden.Length && isHidden[i])
                i++;
            if (i > begin)
                ranges.Add((begin, i - begin));
        }
        return ranges;
    }
}
