using MassTransit;

namespace Maplog.Bus;

/// <summary>A queue listened to, on one bus, from the request to the loss: of the bus, or of this queue alone.</summary>
internal sealed class BusListening(BusEra era, string queue)
{
    private readonly TaskCompletionSource<BusFailure> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HostReceiveEndpointHandle? _endpoint;

    /// <summary>The first failure, or null.</summary>
    public BusFailure? Loss => era.Loss ?? (_lost.Task.IsCompleted ? _lost.Task.Result : null);

    /// <summary>Ends when it has been left.</summary>
    public Task Left => _left.Task;

    /// <summary>Whether it has carried anything.</summary>
    public bool Proved { get; private set; }

    /// <summary>Begins; ends when messages can come, or with the reason why they cannot.</summary>
    public async Task<BusFailure?> BeginAsync(Action<IReceiveEndpointConfigurator> configure)
    {
        _endpoint = era.Bus.ConnectReceiveEndpoint(queue, configure);
        var lost = LostAsync();
        if (await Task.WhenAny(_endpoint.Ready, lost) == lost)
            return await lost;
        await _endpoint.Ready;
        return null;
    }

    /// <summary>Ends with the first failure.</summary>
    public async Task<BusFailure> LostAsync() => await await Task.WhenAny(era.Lost.Task, _lost.Task);

    public void Prove() => Proved = era.Proved = true;

    public void Lose(BusFailure failure) => _lost.TrySetResult(failure);

    /// <summary>Gives the queue back. By itself the bus would leave an endpoint alone that is just looking for RabbitMQ again.</summary>
    public async Task LeaveAsync(TimeSpan within, TimeProvider time)
    {
        using var limit = new CancellationTokenSource(within, time);
        try
        {
            if (_endpoint is { } endpoint)
                await endpoint.StopAsync(limit.Token).WaitAsync(limit.Token);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Its connection is gone or goes with it; that it cannot take its leave changes nothing.
        }
        _left.TrySetResult();
    }
}
