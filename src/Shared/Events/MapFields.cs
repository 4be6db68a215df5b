namespace Maplog.Events;

/// <summary>What a map's keys and values mean.</summary>
/// <param name="Key">Null: nothing is known of it.</param>
/// <param name="Value">One CPU's for the per-CPU kinds; null: nothing is known of it.</param>
public sealed record MapFields(FieldType? Key, FieldType? Value);
