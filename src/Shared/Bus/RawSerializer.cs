using System.Net.Mime;
using MassTransit;
using MassTransit.Serialization;

namespace Maplog.Bus;

/// <summary>Carries a <see cref="BusMessage"/>'s bytes as they are: no envelope, no base64. Whatever arrives becomes one, so that our own code judges it.</summary>
internal sealed class RawSerializer(ContentType type) : ISerializerFactory, IMessageSerializer, IMessageDeserializer, IObjectDeserializer
{
    public ContentType ContentType { get; } = type;

    public IMessageSerializer CreateSerializer() => this;

    public IMessageDeserializer CreateDeserializer() => this;

    public MessageBody GetMessageBody<T>(SendContext<T> context) where T : class =>
        context.Message is BusMessage message
            ? new BytesMessageBody(message.Body)
            : throw new NotSupportedException($"The bus carries blocks and heartbeats only, not a {typeof(T).Name}.");

    public ConsumeContext Deserialize(ReceiveContext receiveContext) =>
        new BodyConsumeContext(receiveContext, ToContext(receiveContext.Body, receiveContext.TransportHeaders, receiveContext.InputAddress, receiveContext.ContentType));

    public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null) =>
        ToContext(body, headers, destinationAddress, ContentType);

    public MessageBody GetMessageBody(string text) => new StringMessageBody(text);

    public void Probe(ProbeContext context) => context.CreateScope("maplog").Add("contentType", ContentType.MediaType);

    // Headers that MassTransit would want as objects: there are none.
    T? IObjectDeserializer.DeserializeObject<T>(object? value, T? defaultValue) where T : class => defaultValue;

    T? IObjectDeserializer.DeserializeObject<T>(object? value, T? defaultValue) => defaultValue;

    MessageBody IObjectDeserializer.SerializeObject(object? value) => EmptyMessageBody.Instance;

    // GetBytes copies out of the client's buffer, which is used again once the message is handled.
    private RawSerializerContext ToContext(MessageBody body, Headers headers, Uri? destination, ContentType? type) =>
        new(this, new RawMessageContext(headers, destination, RawSerializerOptions.Default), new BusMessage(type ?? ContentType, body.GetBytes()));
}
