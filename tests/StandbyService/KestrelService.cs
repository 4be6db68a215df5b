using Maplog.HotStandby;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Maplog.Tests.StandbyService;

/// <summary>The same over HTTP, by Kestrel.</summary>
/// <param name="options">What it is in its group.</param>
/// <param name="addresses">Where it listens, with commas between.</param>
internal sealed class KestrelService(StandbyOptions options, string addresses) : IService
{
    private readonly Endpoints _endpoints = new(addresses.Split(','));
    private WebApplication _application = null!;

    public Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var configuration = new ConfigurationBuilder().Add(_endpoints).Build();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Configure(configuration, reloadOnChange: true));
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

    /// <summary>Configures all endpoints away but the first.</summary>
    public void Forget() => _endpoints.Forget();

    /// <summary>Every thread of the pool waits for ever, and the pool makes more only slowly.</summary>
    public void Hang()
    {
        ThreadPool.SetMaxThreads(Environment.ProcessorCount, Environment.ProcessorCount);
        for (var i = 0; i < 64; i++)
            ThreadPool.UnsafeQueueUserWorkItem(_ => Thread.Sleep(Timeout.Infinite), null);
    }

    /// <summary>Kestrel's endpoints as a configuration that changes.</summary>
    private sealed class Endpoints(IReadOnlyList<string> addresses) : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public override void Load() => Set(addresses);

        public void Forget()
        {
            Set(addresses.Take(1));
            OnReload();
        }

        private void Set(IEnumerable<string> kept) => Data = kept.Select((address, n) => (address, n)).ToDictionary(e => $"Endpoints:{e.n}:Url", e => (string?)$"http://{e.address}");
    }
}
