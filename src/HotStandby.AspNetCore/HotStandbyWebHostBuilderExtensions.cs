using Maplog.HotStandby;
using Maplog.HotStandby.AspNetCore;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Hot standby for Kestrel.</summary>
public static class HotStandbyWebHostBuilderExtensions
{
    /// <summary>
    /// Makes this process a member of a hot-standby group: every TCP address Kestrel listens on is shared with the group's other
    /// members, and the kernel gives each new connection to the one whose turn it is. The heartbeat is written where Kestrel
    /// accepts connections. When the application stops, the member drains first. Health checks that the application has registered
    /// are the member's own check, unless the options name one. Where it cannot be a member, or have an address, the application does
    /// not start: an <see cref="IOException"/> says why.
    /// </summary>
    /// <param name="builder">Kestrel's, on its own socket transport.</param>
    /// <param name="configure">Sets at least <see cref="StandbyOptions.Group"/> and <see cref="StandbyOptions.Member"/>.</param>
    public static IWebHostBuilder UseHotStandby(this IWebHostBuilder builder, Action<StandbyOptions> configure) =>
        builder.ConfigureServices(services =>
        {
            services.AddOptions<StandbyOptions>().Configure(configure);
            services.TryAddSingleton<StandbyMembership>();
            // Kestrel takes the transport that was added last.
            services.AddSingleton<IConnectionListenerFactory, StandbyTransport>();
            services.AddHostedService<StandbyLifetime>();
        });
}
