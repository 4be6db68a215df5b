using System.Net;
using Maplog.Kernel;
using Maplog.Replicas;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;
using Xunit;

namespace Maplog.Tests.Integration.Replicating;

/// <summary>What other programs do to the pins of a running replicator, and names and paths that cannot work.</summary>
public sealed class PinTests(TestPostgres postgres) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http = new();
    private readonly string _address = $"127.0.0.1:{FreePorts.Take("127.0.0.1", 1)[0]}";
    private ReplicatorWorld _world = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await ReplicatorWorld.MakeAsync(postgres);
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(1000);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _world.DisposeAsync();
    }

    [Fact]
    public async Task A_pin_that_is_removed_comes_back_with_the_same_map()
    {
        using var replicator = _world.Start();
        await _world.EqualAsync(replicator);
        var id = IdAt(_world.Pin);
        Directory.Delete(Path.GetDirectoryName(_world.Pin)!, recursive: true);
        await Wait.UntilAsync(() => IdAt(_world.Pin) == id && File.Exists(ReplicaMap.CursorPin(_world.Pin)) && File.Exists(WriterRegistry.WritersPin(_world.Registry)), Patience, () => replicator.Output);
        await replicator.WaitForAsync("the pin leads to the replica's map again");
        await replicator.WaitForAsync("by which a capture on this host recognises replicas, was gone");
        await _world.Source.ChangeAsync(1000);
        await _world.EqualAsync(replicator);
        Assert.False(replicator.Says("building the replica from the log", times: 2), replicator.Output);
        Assert.Equal(0, await replicator.StopAsync());
    }

    [Fact]
    public async Task A_map_that_takes_the_pin_becomes_the_replica()
    {
        using var replicator = _world.Start();
        await _world.EqualAsync(replicator);
        using var other = BpfMap.Create("ct_map", MapType.Hash, 24, 64, 5000);
        other.Update(new byte[24], new byte[64]);
        other.Pin(_world.Pin, replace: true);
        await replicator.WaitForAsync($"now leads to another map, {ReplicaShape.Describe(other.Info)} with the id {other.Info.Id}");
        await _world.EqualAsync(replicator);
        await _world.Source.ChangeAsync(1000);
        await _world.EqualAsync(replicator);
        Assert.Equal(other.Info.Id, IdAt(_world.Pin));
        Assert.Equal(0, await replicator.StopAsync());
    }

    [Fact]
    public async Task While_the_pin_leads_to_a_map_that_cannot_be_the_replica_it_is_not_ready_and_waits()
    {
        using var replicator = _world.Start("--http", _address);
        await _world.EqualAsync(replicator);
        await ReadyAsync(HttpStatusCode.OK, replicator);
        using (var other = BpfMap.Create("other", MapType.Hash, 4, 8, 10))
            other.Pin(_world.Pin, replace: true);
        await ReadyAsync(HttpStatusCode.ServiceUnavailable, replicator);
        await replicator.WaitForAsync("The replica waits until the pin is free");
        Assert.Contains("keys of 4 bytes", await ReasonAsync(), StringComparison.Ordinal);
        await _world.Source.ChangeAsync(1000);
        File.Delete(_world.Pin);
        await _world.EqualAsync(replicator);
        await ReadyAsync(HttpStatusCode.OK, replicator);
        Assert.Equal(0, await replicator.StopAsync());
    }

    [Fact]
    public async Task A_source_that_became_another_kind_of_hash_is_followed_in_the_same_map()
    {
        using var replicator = _world.Start();
        await _world.EqualAsync(replicator);
        var id = IdAt(_world.Pin);
        await _world.Source.OpenAsync(ReplicatorWorld.Shape with { Type = (int)MapType.LruHash });
        await _world.Source.ChangeAsync(1000);
        await _world.EqualAsync(replicator);
        Assert.Equal(id, IdAt(_world.Pin));
        await replicator.WaitForAsync("the source's map is LruHash with keys of 24 bytes");
        Assert.Equal(0, await replicator.StopAsync());
    }

    [Fact]
    public async Task A_misspelt_name_is_told_while_it_waits_and_is_not_missed_afterwards()
    {
        using var source = ReplicatorProcess.Start("--source", "lb-l", "--map", "ct_map", "--pin", _world.Pin, "--registry", _world.Registry, "--log", _world.Log.Options.ConnectionString, "--http", _address, "--node", "node-b");
        await source.WaitForAsync("The log has no source 'lb-l'; sources: lb-1, lb-2.");
        Assert.Contains("has no source 'lb-l'", await ReasonAsync(), StringComparison.Ordinal);
        using var map = ReplicatorProcess.Start("--source", "lb-1", "--map", "ct_mpa", "--pin", _world.PinOf("other"), "--registry", _world.Registry, "--log", _world.Log.Options.ConnectionString, "--node", "node-c");
        await map.WaitForAsync("maps of source lb-1: ct_map");
        await UntilAsync(async () => (await StatusAsync()).Output.Contains("node-b", StringComparison.Ordinal), source);
        source.Kill();
        map.Kill();
        await UntilAsync(async () => await StatusAsync() is { Code: 0 } run && !run.Output.Contains("node-b", StringComparison.Ordinal), source);
    }

    [Fact]
    public async Task A_replica_whose_pin_follows_another_stream_now_is_not_missed()
    {
        using (var first = _world.Start("--node", "node-b"))
        {
            await _world.EqualAsync(first);
            await UntilAsync(async () => (await StatusAsync()).Output.Contains("node-b", StringComparison.Ordinal), first);
            first.Kill();
        }
        using var other = new SourceMap(_world.Writer, "lb-1/other", ReplicatorWorld.Shape);
        await other.OpenAsync();
        using var next = ReplicatorProcess.Start("--source", "lb-1", "--map", "other", "--pin", _world.Pin, "--registry", _world.Registry, "--log", _world.Log.Options.ConnectionString, "--node", "node-b");
        await UntilAsync(async () => await StatusAsync() is { Code: 0 } run && run.Output.Contains("lb-1/other", StringComparison.Ordinal), next);
    }

    [Fact]
    public async Task A_pin_outside_bpffs_ends_it_before_it_waits_for_anything()
    {
        var folder = Directory.CreateTempSubdirectory("maplog_test_");
        try
        {
            using var replicator = ReplicatorProcess.Start(
                "--source", "lb-1", "--map", "ct_map", "--pin", Path.Combine(folder.FullName, "a"), "--map", "other", "--pin", Path.Combine(folder.FullName, "b"),
                "--registry", _world.Registry, "--log", "Host=127.0.0.1;Port=1;Username=none");
            Assert.Equal(1, await replicator.EndAsync());
            Assert.Contains($"pin {folder.FullName}/a cannot be used", replicator.Output, StringComparison.Ordinal);
            Assert.Contains($"pin {folder.FullName}/b cannot be used", replicator.Output, StringComparison.Ordinal);
            Assert.Contains("is not on a BPF file system", replicator.Output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_mount_namespace_in_which_nobody_sees_the_pins_is_told()
    {
        using var apart = ReplicatorProcess.StartApart("--source", "lb-1", "--map", "ct_map", "--pin", $"{Bpffs.Root}/replica", "--log", _world.Log.Options.ConnectionString);
        await apart.WaitForAsync("This process is in its own mount namespace");
        await apart.WaitForAsync("built at version");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static uint IdAt(string pin)
    {
        if (!File.Exists(pin))
            return 0;
        using var map = BpfMap.OpenPinned(pin, MapAccess.Read);
        return map.Info.Id;
    }

    private Task<CommandRun> StatusAsync() => CommandRun.OfAsync(["status", "--log", _world.Log.Options.ConnectionString]);

    private async Task<string> ReasonAsync()
    {
        using var answer = await _http.GetAsync(new Uri($"http://{_address}/readyz"), Cancel);
        return await answer.Content.ReadAsStringAsync(Cancel);
    }

    private Task ReadyAsync(HttpStatusCode wanted, ReplicatorProcess replicator) => UntilAsync(async () =>
    {
        using var answer = await _http.GetAsync(new Uri($"http://{_address}/readyz"), Cancel);
        return answer.StatusCode == wanted;
    }, replicator);

    private static async Task UntilAsync(Func<Task<bool>> isSo, ReplicatorProcess replicator)
    {
        for (var left = 600; !await isSo(); left--)
        {
            Assert.True(left > 0, replicator.Output);
            await Task.Delay(100, Cancel);
        }
    }
}
