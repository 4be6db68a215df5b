using System.Diagnostics.CodeAnalysis;
using MassTransit;
using MassTransit.Serialization;

namespace Maplog.Bus;

/// <summary>One received message for MassTransit: it is a <see cref="BusMessage"/> and nothing else.</summary>
internal sealed class RawSerializerContext(RawSerializer serializer, MessageContext context, BusMessage message)
    : BaseSerializerContext(serializer, context, [MessageUrn.ForTypeString<BusMessage>()])
{
    public override bool TryGetMessage<T>([NotNullWhen(true)] out T? wanted) where T : class => (wanted = message as T) is not null;

    public override bool TryGetMessage(Type messageType, [NotNullWhen(true)] out object? wanted) =>
        (wanted = messageType.IsInstanceOfType(message) ? message : null) is not null;

    public override IMessageSerializer GetMessageSerializer() => serializer;

    public override IMessageSerializer GetMessageSerializer<T>(MessageEnvelope envelope, T message) => serializer;

    public override IMessageSerializer GetMessageSerializer(object message, string[] messageTypes) => serializer;

    public override Dictionary<string, object> ToDictionary<T>(T? message) where T : class => [];
}
