using System.Net.Mime;

namespace Maplog.Bus;

/// <summary>What MassTransit carries for us: blocks and heartbeats of one source, one after the other, each with its own checksum and size.</summary>
/// <param name="body">The bytes on the wire.</param>
internal sealed class BusMessage(byte[] body)
{
    public static ContentType Type { get; } = new("application/vnd.maplog.events");

    public byte[] Body { get; } = body;

    /// <summary>One message of these.</summary>
    public static BusMessage Of(IReadOnlyList<byte[]> parts)
    {
        if (parts.Count == 1)
            return new BusMessage(parts[0]);
        var body = new byte[parts.Sum(p => p.Length)];
        var at = 0;
        foreach (var part in parts)
        {
            part.CopyTo(body, at);
            at += part.Length;
        }
        return new BusMessage(body);
    }

    /// <summary>Takes the first part off; where none of ours begins, that is all the rest.</summary>
    public static ReadOnlyMemory<byte> TakeFirst(ref ReadOnlyMemory<byte> rest)
    {
        var size = IsBeat(rest.Span) ? Heartbeat.SizeOf(rest.Span) : BlockLayout.SizeOf(rest.Span);
        var part = size > 0 && size <= rest.Length ? rest[..(int)size] : rest;
        rest = rest[part.Length..];
        return part;
    }

    public static bool IsBlock(ReadOnlySpan<byte> part) => part.StartsWith(BlockLayout.Magic);

    public static bool IsBeat(ReadOnlySpan<byte> part) => part.StartsWith(Heartbeat.Magic);
}
