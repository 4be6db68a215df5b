using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;

namespace Maplog.Cli.TimeTravel;

/// <summary>A pin that receives an earlier content.</summary>
/// <param name="pin">Its path.</param>
/// <param name="registry">The folder of bpffs in which a new map is registered as a copy.</param>
/// <param name="terminal">Receives the result.</param>
/// <param name="descriptions">The meaning of the bytes of keys and values.</param>
/// <param name="cancellation">Ends the writing.</param>
internal sealed class MapTarget(string pin, string registry, Terminal terminal, Descriptions descriptions, CancellationToken cancellation)
{
    private const int Shown = 20;

    /// <summary>Whether a new map will be created for the pin.</summary>
    /// <param name="swaps">Even if the pin has a map.</param>
    public bool IsNew(bool swaps) => swaps || !File.Exists(pin);

    /// <param name="past">The wanted content.</param>
    /// <param name="isDry">Only say what would be done.</param>
    /// <param name="swaps">Create a new map and replace the pinned map by it in one step, instead of changing the pinned map.</param>
    public async Task WriteAsync(StreamFold past, bool isDry, bool swaps)
    {
        var opened = past.Generation!;
        ReplicaShape.CheckHost(past.Stream, opened.Shape);
        if (!IsNew(swaps))
        {
            Change(past, isDry, opened);
            return;
        }
        if (isDry)
        {
            terminal.Out.WriteLine($"{pin} would be {Does} {ReplicaShape.Describe(opened.Shape)} with {Count.Of(past.Entries.Count, "entry", "entries")}.{(File.Exists(pin) ? " Programs that have the present map open would keep it." : "")}");
            return;
        }
        await MakeAsync(past.Stream, past.Version, opened, past.Entries.Count, (map, progress) =>
        {
            MapPlan.Of(map, past.Entries, cancellation).Apply(progress, cancellation);
            return Task.FromResult((long)past.Entries.Count);
        });
    }

    /// <summary>Creates a map of the right shape, has it filled, and pins it last.</summary>
    /// <param name="stream">The stream of the content.</param>
    /// <param name="version">The version of the content.</param>
    /// <param name="opened">The description of the map.</param>
    /// <param name="work">The total of the progress.</param>
    /// <param name="fill">Fills the map, and returns the number of entries.</param>
    public async Task MakeAsync(StreamName stream, StreamVersion version, MapOpened opened, long work, Func<BpfMap, Progress, Task<long>> fill)
    {
        ReplicaShape.CheckHost(stream, opened.Shape);
        var folder = Path.GetDirectoryName(Path.GetFullPath(pin))!;
        Bpffs.EnsureMounted(folder);
        if (MountView.WhyUnseen(folder) is { } unseen)
            terminal.Complain(unseen);
        var shape = opened.Shape;
        using var map = Make(() => BpfMap.Create(opened.Name, (MapType)shape.Type, shape.KeySize, shape.ValueSize, shape.MaxEntries, (uint)shape.Flags));
        // The map is filled before any process can see it: if this ends early, nothing is left behind.
        long entries;
        using (var progress = new Progress(terminal, $"filling {pin}", work))
            entries = await fill(map, progress);
        var does = Does;
        var exists = File.Exists(pin);
        map.Pin(pin, replace: exists);
        terminal.Out.WriteLine($"{pin} was {does} {map}, {Count.Of(entries, "entry", "entries")}, {stream} at version {version}.{(exists ? " Programs that have the earlier map open keep it." : "")} A capture on this host watches the map by its pin or its id, never by its name.");
    }

    /// <exception cref="LogException">A replicator would undo the changes.</exception>
    public void RefuseWhatIsKept()
    {
        if (File.Exists(pin) && ReplicaMap.ReadCursor(pin) is { } cursor && cursor.Keeper.IsAlive)
            throw new LogException($"The pin {pin} is a replica that process {cursor.Keeper.Tgid} maintains: the process would undo these changes. Stop that replicator, or choose another pin.");
    }

    // The copy has the name of its source. On the source's own host a capture would take it for the source's next generation.
    private BpfMap Make(Func<BpfMap> make)
    {
        using var own = WriterRegistry.Open(registry);
        return new HostRegistries(own).MakeCopy(make);
    }

    private string Does => File.Exists(pin) ? "replaced by" : "made with";

    private void Change(StreamFold past, bool isDry, MapOpened opened)
    {
        using var map = BpfMap.OpenPinned(pin);
        if (map.Info.Id == opened.MapId && Boot.Id == opened.BootId)
            terminal.Complain($"{pin} is the map from which {past.Stream} is logged: the log records these changes as new changes.");
        var info = map.Info;
        var shape = opened.Shape;
        var isSameKind = (int)info.Type == shape.Type && info.KeySize == shape.KeySize && info.ValueBytes == shape.ValueBytes && info.MaxEntries >= past.Entries.Count;
        if (!isSameKind && !ReplicaShape.CanHold(info, shape with { MaxEntries = (uint)past.Entries.Count }))
        {
            throw new LogException(
                $"The map pinned at {pin} cannot take the content of {past.Stream}: it is {ReplicaShape.Describe(info)}, and the content is {Count.Of(past.Entries.Count, "entry", "entries")} of {ReplicaShape.Describe(shape)}. Choose another pin, or replace the map with --swap.");
        }
        var plan = MapPlan.Of(map, past.Entries, cancellation);
        var counts = $"{Count.Of(plan.Adds, "add")}, {Count.Of(plan.Updates, "update")}, {Count.Of(plan.Deletes, "delete")}; {Count.Of(plan.Same, "entry is", "entries are")} right already";
        if (isDry)
        {
            terminal.Out.WriteLine($"{pin} would get {counts}. Order: {plan.Order}.");
            var format = new FieldFormat(opened, descriptions);
            foreach (var (what, key, value) in plan.First(Shown))
                terminal.Out.WriteLine($"  {what,-6}  {format.Key(key)}{(value is null ? "" : $" -> {format.Value(value)}")}");
            if (plan.Total > Shown)
                terminal.Out.WriteLine($"  and {plan.Total - Shown} more");
            return;
        }
        try
        {
            using var progress = new Progress(terminal, $"writing {pin}", plan.Total);
            plan.Apply(progress, cancellation);
        }
        catch (Exception e) when (e is OperationCanceledException or KernelException)
        {
            terminal.Complain($"{pin} is between two states: {plan.Done} of {plan.Total} changes are done. Run the same command again to finish, or 'maplog replay {past.Stream} --into {pin}' for the present content of the log.");
            throw;
        }
        terminal.Out.WriteLine($"{pin} holds {past.Stream} at version {past.Version}: {counts}. Order: {plan.Order}.");
    }
}
