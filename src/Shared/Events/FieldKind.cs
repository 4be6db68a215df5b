using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maplog.Events;

/// <summary>What the bytes of a field mean. Written into the log by name: add, never rename.</summary>
[JsonConverter(typeof(FieldKindJson))]
public enum FieldKind
{
    /// <summary>Nothing is known of them: shown in hex.</summary>
    Bytes,

    /// <summary>A number in the machine's byte order (little-endian), 1 to 8 bytes.</summary>
    Number,

    /// <summary>The same with a sign.</summary>
    SignedNumber,
    Boolean,

    /// <summary>Characters up to the first zero.</summary>
    Text,

    /// <summary>A number with names.</summary>
    Enumeration,

    /// <summary>A bit field; <see cref="FieldType.Bit"/> and <see cref="FieldType.Bits"/> say where.</summary>
    Bits,

    /// <summary>A number in network byte order.</summary>
    BigEndian,

    /// <summary>A port of TCP or UDP in network byte order, 2 bytes.</summary>
    Port,

    /// <summary>An address of 4 bytes, in network byte order.</summary>
    Ipv4,

    /// <summary>An address of 16 bytes.</summary>
    Ipv6,

    /// <summary>A link address of 6 bytes.</summary>
    Mac,
    Array,
    Struct,

    /// <summary>
    /// An address of 4 bytes that a program keeps as a number in the machine's byte order. Only an operator says so: a map_opened event
    /// never has this kind, which earlier versions could not read.
    /// </summary>
    Ipv4Host,
}

internal sealed class FieldKindJson() : JsonStringEnumConverter<FieldKind>(JsonNamingPolicy.CamelCase);
