using MassTransit;

namespace Maplog.Bus;

/// <summary>
/// Keeps one MassTransit bus connected. MassTransit would look for a lost RabbitMQ ever more rarely, up to a minute, and fail its start when
/// RabbitMQ is away; so a bus that has lost its connection is retired here, RabbitMQ is looked for at our own pace on a connection
/// of its own, which also tells a refusal from an absence, and then a new bus takes over.
/// </summary>
internal sealed class BusSession : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private readonly BusServer _server;
    private readonly BusOptions _options;
    private readonly string _name;
    private readonly Func<IBusControl, HostReceiveEndpointHandle?> _connect;
    private readonly Action<BusFailure?> _told;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _retired = [];
    private Task _keeping = Task.CompletedTask;
    private volatile BusEra? _era;
    private volatile BusFailure? _failure;

    /// <param name="server">The RabbitMQ.</param>
    /// <param name="options">How it is used.</param>
    /// <param name="name">What RabbitMQ shows as the connection's name.</param>
    /// <param name="connect">Adds what listens on a new bus, if anything does.</param>
    /// <param name="told">Called when the state changes: with what went wrong, or null when all is well.</param>
    /// <param name="time">The clock.</param>
    public BusSession(BusServer server, BusOptions options, string name, Func<IBusControl, HostReceiveEndpointHandle?> connect, Action<BusFailure?> told, TimeProvider time) =>
        (_server, _options, _name, _connect, _told, _time) = (server, options, name, connect, told, time);

    /// <summary>The connected bus, or null.</summary>
    public BusEra? Era => _era is { Loss: null } era ? era : null;

    /// <summary>What went wrong, or null while all is well.</summary>
    public BusFailure? Failure => _era is { } era ? era.Loss : _failure;

    /// <summary>Where messages go, once that is known: MassTransit goes on trying where RabbitMQ refuses an exchange, so we ask ourselves.</summary>
    public string? Exchange { get; set; }

    /// <summary>Whether messages are only received: then no message is sent as a trial, which the user may not be allowed.</summary>
    public bool Listens { get; init; }

    /// <summary>Tries once, then goes on trying in the background.</summary>
    public async Task StartAsync(CancellationToken cancellation) => Begin(await ConnectAsync(cancellation));

    /// <summary>Tries in the background from the start.</summary>
    public void Start() => Begin(new BusFailure("Not connected yet.", false, null), tell: false);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _keeping;
        if (_era is { } era)
            Retire(era);
        _era = null;
        await Task.WhenAll(_retired);
        _stop.Dispose();
    }

    private void Begin(BusFailure? failure, bool tell = true)
    {
        Change(failure, tell);
        _keeping = Task.Run(() => KeepAsync(failure));
    }

    private void Change(BusFailure? failure, bool tell = true)
    {
        // The words of an absence change from one attempt to the next; those of a refusal do so when its reason does.
        var isNews = _failure is null || failure is null || _failure.IsRefusal != failure.IsRefusal || failure.IsRefusal && _failure.Sentence != failure.Sentence;
        _failure = failure;
        if (tell && isNews)
            _told(failure);
    }

    private async Task KeepAsync(BusFailure? failure)
    {
        var wait = FirstRetry;
        try
        {
            while (true)
            {
                if (failure is null)
                {
                    var era = _era!;
                    failure = await era.Lost.Task.WaitAsync(_stop.Token);
                    Change(failure);
                    _era = null;
                    Retire(era);
                    // A bus that never did anything was no end of the trouble.
                    wait = era.Proved ? FirstRetry : Longer(wait);
                }
                await Task.Delay(wait, _time, _stop.Token);
                wait = Longer(wait);
                failure = await ConnectAsync(_stop.Token);
                Change(failure);
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }

    private async Task<BusFailure?> ConnectAsync(CancellationToken cancellation)
    {
        try
        {
            if (await _server.TryAsync(Exchange, Listens ? null : _options.PublishTimeout, cancellation) is { } problem)
                return new BusFailure(problem, false, null);
        }
        catch (BusRefusedException e)
        {
            return new BusFailure(e.Message, true, e);
        }
        var era = new BusEra(BusTransport.Create(_options, _name), _server);
        using var limit = new CancellationTokenSource(_options.ConnectTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            await era.Bus.StartAsync(both.Token).WaitAsync(both.Token);
            if ((era.Listening = _connect(era.Bus)) is { } listening)
                await (await Task.WhenAny(listening.Ready, era.Lost.Task).WaitAsync(both.Token));
            if (!era.Lost.Task.IsCompleted)
            {
                _era = era;
                return null;
            }
        }
        catch (Exception e)
        {
            cancellation.ThrowIfCancellationRequested();
            era.Lost.TrySetResult(_server.Judge(e));
        }
        finally
        {
            if (_era != era)
                Retire(era);
        }
        return await era.Lost.Task;
    }

    private static TimeSpan Longer(TimeSpan wait) => wait * 2 < LongestRetry ? wait * 2 : LongestRetry;

    private void Retire(BusEra era)
    {
        _retired.RemoveAll(t => t.IsCompleted);
        _retired.Add(Task.Run(() => StopAsync(era)));
    }

    private async Task StopAsync(BusEra era)
    {
        using var limit = new CancellationTokenSource(StopLimit, _time);
        try
        {
            // By itself the bus would leave an endpoint alone that is just looking for RabbitMQ again.
            if (era.Listening is { } listening)
                await listening.StopAsync(limit.Token).WaitAsync(limit.Token);
            await era.Bus.StopAsync(limit.Token).WaitAsync(limit.Token); // on a slow host it heeds the token late, and the daemon would be taken for hung
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Its connection is gone or goes with it; that it cannot take its leave changes nothing.
        }
    }
}
