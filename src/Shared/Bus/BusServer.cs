using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Maplog.Bus;

/// <summary>The RabbitMQ that options name: whether it lets us in, and what its failures mean.</summary>
public sealed class BusServer
{
    private readonly BusOptions _options;
    private volatile ConnectionFactory _factory;

    public BusServer(BusOptions options)
    {
        options.ThrowIfInvalid();
        _options = options;
        _factory = options.ToFactory();
    }

    /// <summary>Host and port, without user and password.</summary>
    public string Address => $"{_factory.HostName}:{(_factory.Port < 0 ? _factory.Endpoint.Port : _factory.Port)}";

    /// <summary>Connects once and logs out again.</summary>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>Null if RabbitMQ lets us in, or a sentence why it cannot be reached.</returns>
    /// <exception cref="BusRefusedException">It can be reached and refuses us.</exception>
    public Task<string?> TryAsync(CancellationToken cancellation = default) => TryAsync(null, null, cancellation);

    /// <param name="exchange">An exchange that must be there, and is made; null: none.</param>
    /// <param name="confirmedWithin">Also tries whether messages can be sent there, with an empty one that goes to nobody and must be confirmed within this time; null: does not.</param>
    /// <param name="cancellation">Ends the wait.</param>
    internal async Task<string?> TryAsync(string? exchange, TimeSpan? confirmedWithin, CancellationToken cancellation)
    {
        // The password may have been changed since.
        _factory = _options.ToFactory();
        try
        {
            await using var connection = await _factory.CreateConnectionAsync(cancellation);
            // The client does not wait for the answer to connection.open: a refused virtual host shows at the first channel.
            await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), cancellation);
            if (exchange is not null)
            {
                await DeclareAsync(connection, exchange, cancellation);
                if (confirmedWithin is { } within)
                    return await TrySendAsync(connection, channel, exchange, within, cancellation);
            }
            return null;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            var failure = Judge(e);
            return failure.IsRefusal ? throw new BusRefusedException(failure.Sentence, e) : failure.Sentence;
        }
    }

    // Earlier versions made a topic exchange. RabbitMQ cannot change the type, so the exchange is deleted and made again: it holds no messages,
    // listeners bind their queues again when they connect, and what is sent meanwhile is read from the log.
    private static async Task DeclareAsync(IConnection connection, string exchange, CancellationToken cancellation)
    {
        try
        {
            await DeclareOnceAsync(connection, exchange, false, cancellation);
        }
        catch (OperationInterruptedException e) when (
            e.ShutdownReason is { ReplyCode: Constants.PreconditionFailed } reason && reason.ReplyText.Contains("current is 'topic'", StringComparison.Ordinal))
        {
            await DeclareOnceAsync(connection, exchange, true, cancellation);
        }
    }

    // On a channel of its own, which RabbitMQ closes when it refuses.
    private static async Task DeclareOnceAsync(IConnection connection, string exchange, bool anew, CancellationToken cancellation)
    {
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), cancellation);
        if (anew)
            await channel.ExchangeDeleteAsync(exchange, cancellationToken: cancellation);
        await channel.ExchangeDeclareAsync(exchange, BusNames.ExchangeType, durable: true, autoDelete: false, cancellationToken: cancellation);
    }

    /// <summary>Says what a failure means, wherever in it RabbitMQ's answer is.</summary>
    internal BusFailure Judge(Exception failure) =>
        Causes(failure).Select(Refusal).FirstOrDefault(sentence => sentence is not null) is { } refusal
            ? new BusFailure(refusal, true, failure)
            : new BusFailure($"RabbitMQ at {Address} cannot be reached: {Innermost(failure)}", false, failure);

    // During an alarm RabbitMQ accepts connections. It takes the first message of a connection, and reads nothing more from that
    // connection: only the confirmation of a second message proves that there is no alarm.
    private async Task<string?> TrySendAsync(IConnection connection, IChannel channel, string exchange, TimeSpan within, CancellationToken cancellation)
    {
        var alarm = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.ConnectionBlockedAsync += (_, blocked) =>
        {
            alarm.TrySetResult(blocked.Reason);
            return Task.CompletedTask;
        };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(within);
        var sending = SendTwiceAsync(channel, exchange, limit.Token);
        try
        {
            if (await Task.WhenAny(sending, alarm.Task) == alarm.Task)
                return Blocked(await alarm.Task);
            await sending;
            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return alarm.Task.IsCompleted ? Blocked(await alarm.Task) : $"RabbitMQ at {Address} has not confirmed a message within {within.TotalSeconds:0.###} s.";
        }
        finally
        {
            await limit.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task SendTwiceAsync(IChannel channel, string exchange, CancellationToken cancellation)
    {
        for (var i = 0; i < 2; i++)
            await channel.BasicPublishAsync(exchange, "", false, new BasicProperties(), default, cancellation);
    }

    private string Blocked(string reason) =>
        $"RabbitMQ at {Address} takes no messages: it has an alarm ({reason}). 'rabbitmq-diagnostics alarms' shows the alarm; RabbitMQ takes messages again when the alarm is over.";

    private string? Refusal(Exception cause) => cause switch
    {
        AuthenticationFailureException or PossibleAuthenticationFailureException =>
            $"RabbitMQ at {Address} refused the login of user '{_factory.UserName}': the name or the password is wrong. Set Maplog:Bus:Uri to a user that 'rabbitmqctl list_users' shows, with its password.",
        OperationInterruptedException { ShutdownReason: { ReplyCode: Constants.NotAllowed } reason } =>
            $"RabbitMQ at {Address} refused user '{_factory.UserName}' the virtual host '{_factory.VirtualHost}': {reason.ReplyText}. Create it with 'rabbitmqctl add_vhost' and allow it with 'rabbitmqctl set_permissions -p {_factory.VirtualHost} {_factory.UserName} ...', or name another in Maplog:Bus:Uri.",
        OperationInterruptedException { ShutdownReason: { ReplyCode: Constants.AccessRefused } reason } =>
            $"RabbitMQ at {Address} refused user '{_factory.UserName}': {reason.ReplyText}. Give the user rights on names that begin with 'maplog.' in '{_factory.VirtualHost}' (rabbitmqctl set_permissions).",
        OperationInterruptedException { ShutdownReason: { ReplyCode: Constants.PreconditionFailed } reason } when reason.ReplyText.Contains("for exchange", StringComparison.Ordinal) =>
            $"RabbitMQ at {Address} has this exchange with other properties than maplog's: {reason.ReplyText}. Delete the exchange in RabbitMQ's management page or with rabbitmqadmin: it holds no messages, and the daemons create it again.",
        OperationInterruptedException { ShutdownReason: { ReplyCode: Constants.PreconditionFailed } reason } =>
            $"RabbitMQ at {Address} has this queue with other limits than Maplog:Bus sets: {reason.ReplyText}. Set Maplog:Bus as it was, or delete the queue (rabbitmqctl delete_queue); the log has its contents.",
        _ => null,
    };

    private static string Innermost(Exception failure)
    {
        var text = Causes(failure).Last().Message.Trim();
        return text.EndsWith('.') ? text : text + ".";
    }

    private static IEnumerable<Exception> Causes(Exception failure)
    {
        yield return failure;
        var inner = failure is AggregateException several ? several.InnerExceptions : failure.InnerException is { } one ? [one] : [];
        foreach (var cause in inner.SelectMany(Causes))
            yield return cause;
    }
}
