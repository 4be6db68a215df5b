namespace Maplog.Events;

/// <summary>What a map's keys and values mean.</summary>
/// <param name="Key">Null: nothing is known of it.</param>
/// <param name="Value">One CPU's for the per-CPU kinds; null: nothing is known of it.</param>
public sealed record MapFields(FieldType? Key, FieldType? Value)
{
    private static readonly Dictionary<string, string> Nameless = [];

    /// <summary>The same, with nothing in it that is marked as a guess.</summary>
    public MapFields WithoutGuesses() => new(WithoutGuesses(Key), WithoutGuesses(Value));

    /// <summary>Whether both say the same of every byte, whatever is marked as a guess.</summary>
    public static bool AreSame(MapFields? one, MapFields? other) =>
        one is null || other is null ? one is null && other is null : AreSame(one.Key, other.Key) && AreSame(one.Value, other.Value);

    private static bool AreSame(FieldType? one, FieldType? other)
    {
        if (one is null || other is null)
            return one is null && other is null;
        return one with { Guess = false, Of = null, Fields = null, Names = null } == other with { Guess = false, Of = null, Fields = null, Names = null }
            && AreSame(one.Of, other.Of)
            && (one.Fields ?? []).Count == (other.Fields ?? []).Count && (one.Fields ?? []).Zip(other.Fields ?? []).All(p => AreSame(p.First, p.Second))
            && (one.Names ?? Nameless).Count == (other.Names ?? Nameless).Count
            && (one.Names ?? Nameless).All(n => (other.Names ?? Nameless).TryGetValue(n.Key, out var name) && name == n.Value);
    }

    private static FieldType? WithoutGuesses(FieldType? type) => type is null ? null : type with
    {
        Guess = false,
        Of = WithoutGuesses(type.Of),
        Fields = type.Fields?.Select(f => WithoutGuesses(f)!).ToList(),
    };
}
