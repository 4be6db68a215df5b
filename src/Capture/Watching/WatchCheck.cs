using Maplog.Configuration;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Capture.Watching;

/// <summary><c>--check</c>: prints the live maps that each entry of the watch set would catch, and starts nothing.</summary>
internal sealed class WatchCheck(CaptureOptions options, TextWriter output) : IRunsInstead
{
    public int Run()
    {
        try
        {
            foreach (var line in Lines())
                output.WriteLine(line);
            return 0;
        }
        catch (KernelException e)
        {
            output.WriteLine(e.Message);
            return DaemonExit.Failed;
        }
    }

    private IEnumerable<string> Lines()
    {
        var targets = options.Watch.Select(WatchedTarget.Parse).ToList();
        var pins = new WatchedPins(targets).Look();
        var registries = new HostRegistries(null);
        var maps = BpfMap.All().ToList();
        maps.ForEach(registries.Meet);
        return Lines(options.Source, targets, pins, maps, registries.Replicas());
    }

    /// <param name="source">The source.</param>
    /// <param name="targets">The watch set.</param>
    /// <param name="pins">Its pins.</param>
    /// <param name="maps">All maps of this kernel, the oldest first.</param>
    /// <param name="replicas">The replicas and copies of this host.</param>
    internal static IEnumerable<string> Lines(
        string source, IReadOnlyList<WatchedTarget> targets, PinView pins, IReadOnlyList<MapInfo> maps, IReadOnlyDictionary<uint, ulong> replicas)
    {
        yield return $"The settings are valid. The watch set of source {source} matches these live maps of this host:";
        var caught = new Dictionary<string, uint>();
        var byTarget = maps.Select(m => (Map: m, Found: pins.Find(m.Id, m.Name))).Where(m => m.Found is not null)
            .ToLookup(m => m.Found!.Value.Target, m => (m.Map, m.Found!.Value.Stream));
        foreach (var target in targets)
        {
            yield return target.Text;
            foreach (var (map, stream) in byTarget[target])
                yield return $"  map {map.Id} {map.Name}, {ReplicaShape.Describe(map)}: {Verdict(source, target, map, stream, replicas, caught)}";
            foreach (var (path, why) in pins.Unreadable.Where(u => u.Path == target.Pin))
                yield return $"  {path} cannot be opened: {why}";
            if (!byTarget[target].Any())
                yield return "  no map now; a map that appears later will be logged";
        }
    }

    private static string Verdict(
        string source, WatchedTarget target, MapInfo map, string stream, IReadOnlyDictionary<uint, ulong> replicas, Dictionary<string, uint> caught)
    {
        if (WhyNot.Of(map, target, stream, replicas) is { } why)
            return $"not logged: {why}";
        return caught.TryAdd(stream, map.Id) ? $"stream {source}/{stream}" : $"waits for the end of map {caught[stream]}, which has the stream {source}/{stream}";
    }
}
