using Microsoft.Extensions.Hosting;

namespace Maplog.HotStandby.AspNetCore;

/// <summary>Drains when the application stops; reports if Kestrel did not use the group.</summary>
internal sealed class StandbyLifetime(StandbyMembership membership, IHostApplicationLifetime application) : IHostedLifecycleService
{
    private CancellationTokenRegistration _stopping;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (membership.Member is null)
            throw new StandbyException("UseHotStandby was called, but the server bound no TCP address through it: call it after UseKestrel, with Kestrel's own socket transport, and let Kestrel listen on an address and port.");
        _stopping = application.ApplicationStopping.Register(() => membership.Member.Drain());
        return Task.CompletedTask;
    }

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        _stopping.Dispose();
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
