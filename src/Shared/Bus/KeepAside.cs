using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;

namespace Maplog.Bus;

/// <summary>
/// Puts messages that cannot be read into a queue beside the replicator's, bounded as that one, so that somebody can look at them, and tells
/// the subscription. Where MassTransit would move them into a queue of its own, which nothing bounds.
/// </summary>
internal sealed class KeepAside(string queue, BusOptions options, Func<string, string, Task> told)
    : IFilter<ChannelContext>, IFilter<ExceptionReceiveContext>, IFilter<ReceiveContext>
{
    private readonly string _aside = BusNames.BrokenQueue(queue);

    // Each time a channel is made, so that a queue that was deleted is made again.
    public async Task Send(ChannelContext context, IPipe<ChannelContext> next)
    {
        await context.QueueDeclare(_aside, true, false, false, new Dictionary<string, object>
        {
            ["x-max-length"] = options.BrokenMessages,
            ["x-max-length-bytes"] = options.QueueBytes,
            ["x-overflow"] = "drop-head",
            ["x-expires"] = (long)options.QueueExpiry.TotalMilliseconds,
        }, context.CancellationToken);
        await next.Send(context);
    }

    public Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next) => context.Exception switch
    {
        // Thrown on, MassTransit gives the message back to RabbitMQ: whoever listens next gets it.
        OperationCanceledException or ConsumerCanceledException => Task.FromException(context.Exception),
        BrokenMessageException broken => KeepAsync(context, broken.Message),
        var other => KeepAsync(context, $"MassTransit could not read it: {other.Message}"),
    };

    public Task Send(ReceiveContext context, IPipe<ReceiveContext> next) =>
        KeepAsync(context, $"It contains not events, but {context.ContentType?.MediaType ?? "an unnamed type"}.");

    public void Probe(ProbeContext context) => context.CreateScope("keepAside").Add("queue", _aside);

    private async Task KeepAsync(ReceiveContext context, string problem)
    {
        if (context.TryGetPayload<ChannelContext>(out var channel))
        {
            var properties = new BasicProperties
            {
                ContentType = context.TransportHeaders.Get<string>("Content-Type"),
                Persistent = true,
                Headers = new Dictionary<string, object?> { ["maplog-problem"] = problem },
            };
            await channel.BasicPublishAsync("", _aside, false, properties, context.Body.GetBytes(), true, context.CancellationToken);
        }
        await told(problem, _aside);
    }
}
