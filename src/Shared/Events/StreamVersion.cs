namespace Maplog.Events;

/// <summary>An event's place in its stream. The first event has version 1; 0 stands before it.</summary>
public readonly record struct StreamVersion(long Value) : IComparable<StreamVersion>
{
    public static StreamVersion None => default;

    public StreamVersion Next => new(Value + 1);

    public int CompareTo(StreamVersion other) => Value.CompareTo(other.Value);

    public static StreamVersion operator +(StreamVersion version, long count) => new(version.Value + count);

    public static long operator -(StreamVersion left, StreamVersion right) => left.Value - right.Value;

    public static bool operator <(StreamVersion left, StreamVersion right) => left.Value < right.Value;

    public static bool operator >(StreamVersion left, StreamVersion right) => left.Value > right.Value;

    public static bool operator <=(StreamVersion left, StreamVersion right) => left.Value <= right.Value;

    public static bool operator >=(StreamVersion left, StreamVersion right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString();
}
