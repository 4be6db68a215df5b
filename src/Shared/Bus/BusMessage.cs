using System.Net.Mime;

namespace Maplog.Bus;

/// <summary>What MassTransit carries for us: bytes, and what they are.</summary>
/// <param name="type">Content type on the wire.</param>
/// <param name="body">The bytes on the wire.</param>
internal sealed class BusMessage(ContentType type, byte[] body)
{
    public static ContentType BlockType { get; } = new("application/vnd.maplog.block");

    public static ContentType BeatType { get; } = new("application/vnd.maplog.beat");

    public ContentType Type { get; } = type;

    public byte[] Body { get; } = body;
}
