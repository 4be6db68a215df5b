using Maplog.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Maplog.Tests.Unit.Configuration;

public sealed class DaemonTests
{
    [Fact]
    public async Task A_daemon_that_does_not_come_to_an_end_when_it_is_asked_to_does_not_end_as_if_all_were_well() =>
        Assert.Equal(DaemonExit.Failed, await RunAsync<Hanging>());

    [Fact]
    public async Task A_daemon_that_ends_as_asked_ends_well() => Assert.Equal(0, await RunAsync<Obedient>());

    private static Task<int> RunAsync<T>() where T : class, IHostedService =>
        new Daemon("test", "is asked to stop.", []).RunAsync([], (builder, _) => builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(100)).AddHostedService<T>());

    private sealed class Hanging(IHostApplicationLifetime host) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            host.StopApplication();
            return Task.Delay(Timeout.Infinite, CancellationToken.None);
        }
    }

    private sealed class Obedient(IHostApplicationLifetime host) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            host.StopApplication();
            return Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }
}
