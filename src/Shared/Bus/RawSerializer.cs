using System.Net.Mime;
using MassTransit;
using MassTransit.Serialization;

namespace Maplog.Bus;

/// <summary>Carries a <see cref="BusMessage"/>'s bytes as they are: no envelope, no base64. Whatever arrives becomes one, so that our own code judges it.</summary>
internal sealed class RawSerializer : ISerializerFactory, IMessageSerializer, IMessageDeserializer, IObjectDeserializer
{
    public ContentType ContentType => BusMessage.Type;

    public IMessageSerializer CreateSerializer() => this;

    public IMessageDeserializer CreateDeserializer() => this;

    public MessageBody GetMessageBody<T>(SendContext<T> context) where T : class =>
        context.Message is BusMessage message
            ? new BytesMessageBody(message.Body)
            : throw new NotSupportedException($"The bus carries events only, not a {typeof(T).Name}.");

    public ConsumeContext Deserialize(ReceiveContext receiveContext) =>
        new BodyConsumeContext(receiveContext, ToContext(receiveContext.Body, receiveContext.TransportHeaders, receiveContext.InputAddress));

    public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null) =>
        ToContext(body, headers, destinationAddress);

    public MessageBody GetMessageBody(string text) => new StringMessageBody(text);

    public void Probe(ProbeContext context) => context.CreateScope("maplog").Add("contentType", ContentType.MediaType);

    // Headers that MassTransit would want as objects: there are none.
    T? IObjectDeserializer.DeserializeObject<T>(object? value, T? defaultValue) where T : class => defaultValue;

    T? IObjectDeserializer.DeserializeObject<T>(object? value, T? defaultValue) => defaultValue;

    MessageBody IObjectDeserializer.SerializeObject(object? value) => EmptyMessageBody.Instance;

    // GetBytes copies out of the client's buffer, which is used again once the message is handled.
    private RawSerializerContext ToContext(MessageBody body, Headers headers, Uri? destination) =>
        new(this, new RawMessageContext(headers, destination, RawSerializerOptions.Default), new BusMessage(body.GetBytes()));
}
