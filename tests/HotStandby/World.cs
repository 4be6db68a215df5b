using System.Net;
using Maplog.HotStandby;

[assembly: CollectionBehavior(DisableTestParallelization = true)] // two cores: a load beside another would be neither

namespace Maplog.Tests.HotStandby;

/// <summary>A group of a test: its pins, its port, its processes; all gone when the test ends.</summary>
public sealed class World : IAsyncDisposable
{
    private static int _ports = 20000;
    private readonly List<Service> _services = [];

    public World(string address = "127.0.0.1") => Address = new IPEndPoint(IPAddress.Parse(address), Interlocked.Increment(ref _ports));

    public string Root { get; } = $"/sys/fs/bpf/maplog_test_{Guid.NewGuid():N}";

    public string Name { get; } = "web";

    public IPEndPoint Address { get; }

    /// <summary>The group as its pins are now.</summary>
    public StandbyGroup Group() => StandbyGroup.Find(Root, Name)!;

    /// <summary>Starts a member and waits until it serves.</summary>
    public async Task<Service> StartAsync(string member, int rank, params string[] settings)
    {
        var service = Prepare(member, rank, settings);
        await service.ReadyAsync();
        return service;
    }

    /// <summary>Starts a member, and does not wait.</summary>
    public Service Prepare(string member, int rank, params string[] settings)
    {
        string[] otherwise = [$"address={Address}", "kind=tcp"];
        var service = new Service([
            $"root={Root}", $"group={Name}", $"member={member}", $"rank={rank}", .. settings,
            .. otherwise.Where(o => !settings.Any(s => s.StartsWith(o[..(o.IndexOf('=') + 1)], StringComparison.Ordinal)))]);
        _services.Add(service);
        return service;
    }

    public MemberStatus Member(string name)
    {
        using var group = Group();
        return group.Members().Single(m => m.Name == name);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services)
            await service.DisposeAsync();
        if (Directory.Exists(Path.Combine(Root, Name)))
            StandbyGroup.Remove(Root, Name);
        if (Directory.Exists(Root))
            Directory.Delete(Root);
    }
}
