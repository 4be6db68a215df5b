using System.Text.Json.Serialization;

namespace Maplog.Events;

/// <summary>
/// What the bytes of a key, a value or a part of one mean: a description as small as it can be, derived from BTF once, when
/// the map is opened, so that SQL can read old keys and values by field without knowing BTF.
/// </summary>
/// <param name="Kind">What the bytes mean.</param>
/// <param name="Size">Bytes; of an array all its elements'.</param>
public sealed record FieldType(FieldKind Kind, int Size)
{
    /// <summary>The member's name; null for what is no member.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>Bytes from the beginning of the struct it is a member of.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int At { get; init; }

    /// <summary>Of a bit field: its first bit, counted from <see cref="At"/>, the lowest bit of a byte first.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Bit { get; init; }

    /// <summary>Of a bit field: how many.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Bits { get; init; }

    /// <summary>Of an array: its elements.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Count { get; init; }

    /// <summary>Of an array: what an element is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public FieldType? Of { get; init; }

    /// <summary>Of a struct or union: its members.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<FieldType>? Fields { get; init; }

    /// <summary>Whether the kind is a guess by the field's name: the type alone does not say so.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Guess { get; init; }

    /// <summary>Of an enumeration: names by the number in decimal, without sign.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Names { get; init; }
}
