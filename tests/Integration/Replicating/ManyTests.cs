using System.Text.Json;
using Maplog.Servers;
using Xunit;

namespace Maplog.Tests.Integration.Replicating;

public sealed class ManyTests(TestPostgres postgres)
{
    private const int Many = 1100;

    [Fact]
    public async Task A_host_keeps_more_than_a_thousand_replicas()
    {
        await using var world = await ReplicatorWorld.MakeAsync(postgres);
        await world.Source.OpenAsync(ReplicatorWorld.Shape with { MaxEntries = 64 });
        await world.Source.ChangeAsync(500, keys: 40);
        var settings = Path.GetTempFileName();
        try
        {
            var pins = Enumerable.Range(0, Many).Select(i => world.PinOf($"many_{i}")).ToList();
            await File.WriteAllTextAsync(settings, JsonSerializer.Serialize(new
            {
                Maplog = new { Replicator = new { Source = "lb-1", Replicas = pins.Select(p => new { Map = "ct_map", Pin = p }) } },
            }), TestContext.Current.CancellationToken);
            using var replicator = ReplicatorProcess.Start("--config", settings, "--registry", world.Registry, "--log", world.Log.Options.ConnectionString);
            await EqualAsync();
            await world.Source.ChangeAsync(500, keys: 40);
            await EqualAsync();
            Assert.Equal(0, await replicator.StopAsync());
            Assert.DoesNotContain("fail:", replicator.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("pool", replicator.Output, StringComparison.Ordinal);

            Task EqualAsync() => Wait.UntilAsync(
                () => pins.TrueForAll(world.Source.Equals), TimeSpan.FromSeconds(120), () => $"{pins.Count(world.Source.Equals)} of {Many} replicas are equal. {replicator.Output[..Math.Min(replicator.Output.Length, 5000)]}");
        }
        finally
        {
            File.Delete(settings);
        }
    }
}
