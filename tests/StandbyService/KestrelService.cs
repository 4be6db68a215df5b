using Maplog.HotStandby;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Maplog.Tests.StandbyService;

/// <summary>The same over HTTP, by Kestrel.</summary>
internal sealed class KestrelService(StandbyOptions options, string address) : IService
{
    private WebApplication _application = null!;

    public Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://{address}");
        builder.WebHost.UseHotStandby(o =>
        {
            (o.PinRoot, o.Group, o.Member, o.Rank, o.Weight, o.Timeout) = (options.PinRoot, options.Group, options.Member, options.Rank, options.Weight, options.Timeout);
            (o.Healthy, o.Eligible, o.CheckEvery) = (options.Healthy, options.Eligible, options.CheckEvery);
        });
        _application = builder.Build();
        _application.MapGet("/", () => $"{options.Member} {Environment.ProcessId}\n");
        return _application.StartAsync();
    }

    public async Task StopAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    public Task CloseAsync() => StopAsync();

    /// <summary>Every thread of the pool waits for ever, and the pool makes more only slowly.</summary>
    public void Hang()
    {
        ThreadPool.SetMaxThreads(Environment.ProcessorCount, Environment.ProcessorCount);
        for (var i = 0; i < 64; i++)
            ThreadPool.UnsafeQueueUserWorkItem(_ => Thread.Sleep(Timeout.Infinite), null);
    }
}
