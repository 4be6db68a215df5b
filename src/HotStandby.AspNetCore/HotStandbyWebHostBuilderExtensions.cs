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
    /// Makes this process a member of a hot-standby group: the members of the group share every TCP address on which Kestrel listens, and
    /// the kernel chooses the member for each new connection. Kestrel's accept loop writes the heartbeat. When the application stops, the
    /// member drains first. The registered health checks of the application are the member's check, unless the options name another one. If
    /// the process cannot become a member, or cannot have an address, the application does not start: an <see cref="IOException"/> says
    /// why.
    /// </summary>
    /// <param name="builder">Kestrel's builder, with its own socket transport.</param>
    /// <param name="configure">Sets at least <see cref="StandbyOptions.Group"/> and <see cref="StandbyOptions.Member"/>.</param>
    public static IWebHostBuilder UseHotStandby(this IWebHostBuilder builder, Action<StandbyOptions> configure) =>
        builder.ConfigureServices(services =>
        {
            services.AddOptions<StandbyOptions>().Configure(configure);
            services.TryAddSingleton<StandbyMembership>();
            // Kestrel uses the transport that was added last.
            services.AddSingleton<IConnectionListenerFactory, StandbyTransport>();
            services.AddHostedService<StandbyLifetime>();
        });
}
