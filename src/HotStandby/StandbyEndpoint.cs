using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>
/// One address and port of a group: the program that chooses there, the sockets among which it chooses, and their heartbeats, all pinned.
/// </summary>
internal sealed class StandbyEndpoint : IDisposable
{
    /// <summary>The programs of this build that have been loaded.</summary>
    private static readonly ConcurrentDictionary<string, string> Tags = new();

    private readonly BpfMap _ports;
    private readonly MappedArray<PortRecord> _records;

    private StandbyEndpoint(string folder, PinnedProgram program, BpfMap sockets, BpfMap ports)
    {
        (Folder, Program, Sockets, _ports) = (folder, program, sockets, ports);
        _records = new MappedArray<PortRecord>(ports);
    }

    public string Folder { get; }

    public string Name => Path.GetFileName(Folder);

    public PinnedProgram Program { get; }

    public BpfMap Sockets { get; }

    /// <summary>
    /// Whether the kernel moves connections of a closing listener to another one. From kernel 5.14; earlier kernels do not have
    /// net.ipv4.tcp_migrate_req either.
    /// </summary>
    public bool Migrates => Program.Info.Name == StandbyImage.Migrate;

    /// <param name="group">The group.</param>
    /// <param name="protocol">TCP or UDP.</param>
    /// <param name="endpoint">The address and port.</param>
    /// <param name="migrate">False: without migration, even if the kernel can migrate.</param>
    /// <param name="replaced">Whether the program pinned there belonged to another build and was replaced.</param>
    public static StandbyEndpoint OpenOrMake(StandbyGroup group, ProtocolType protocol, IPEndPoint endpoint, bool migrate, out bool replaced)
    {
        var folder = Path.Combine(group.EndpointsFolder, EndpointName.Of(protocol, endpoint));
        replaced = false;
        if (!Directory.Exists(folder))
        {
            PinnedFolder.Make(folder, unfinished => Fill(group, unfinished, migrate));
            return Open(folder);
        }
        var opened = Open(folder);
        try
        {
            replaced = opened.ReplaceOther(group);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
        if (!replaced)
            return opened;
        opened.Dispose();
        return Open(folder);
    }

    public static StandbyEndpoint Open(string folder)
    {
        BpfMap? sockets = null, ports = null;
        var program = PinnedProgram.Open(Path.Combine(folder, "program"));
        try
        {
            sockets = BpfMap.OpenPinned(Path.Combine(folder, "sockets"));
            ports = BpfMap.OpenPinned(Path.Combine(folder, "ports"));
            return new StandbyEndpoint(folder, program, sockets, ports);
        }
        catch
        {
            program.Dispose();
            sockets?.Dispose();
            ports?.Dispose();
            throw;
        }
    }

    /// <summary>The record of a slot's member at this endpoint.</summary>
    public ref PortRecord Port(int slot) => ref _records[slot];

    public void Dispose()
    {
        Sockets.Dispose();
        _ports.Dispose();
        Program.Dispose();
    }

    // Pins outlive members, and so they outlive an upgrade. The layout of the maps is the same, so the program can be replaced under the
    // present members: all of them use the new program as soon as a socket of the joining member attaches it.
    private bool ReplaceOther(StandbyGroup group)
    {
        if (Tags.TryGetValue(Program.Info.Name, out var known) && known == Program.Info.Tag)
            return false;
        using var image = StandbyImage.Open();
        group.Share(image);
        image.ReuseMap(StandbyImage.Sockets, Sockets);
        image.ReuseMap(StandbyImage.Ports, _ports);
        var name = Migrates ? StandbyImage.Migrate : StandbyImage.Select;
        image.SetAutoload(Migrates ? StandbyImage.Select : StandbyImage.Migrate, false);
        image.Load();
        // The tag depends on the instructions: the same build has the same tag.
        var tag = Tags[name] = image.Program(name).Info().Tag;
        if (tag == Program.Info.Tag)
            return false;
        image.Program(name).Pin(Path.Combine(Folder, "program"), replace: true);
        return true;
    }

    private static void Fill(StandbyGroup group, string folder, bool migrate)
    {
        if (!migrate)
        {
            Load(group, folder, StandbyImage.Select, StandbyImage.Migrate);
            return;
        }
        try
        {
            Load(group, folder, StandbyImage.Migrate, StandbyImage.Select);
        }
        catch (KernelException e) when (e.Errno is Errno.Eacces or Errno.Einval)
        {
            // A kernel without migration does not know a field that the program reads: its verifier reports it by one of these.
            Load(group, folder, StandbyImage.Select, StandbyImage.Migrate);
        }
    }

    private static void Load(StandbyGroup group, string folder, string program, string other)
    {
        using var image = StandbyImage.Open();
        group.Share(image);
        image.SetAutoload(other, false);
        image.Load();
        image.Program(program).Pin(Path.Combine(folder, "program"));
        image.PinMap(StandbyImage.Sockets, Path.Combine(folder, "sockets"));
        image.PinMap(StandbyImage.Ports, Path.Combine(folder, "ports"));
    }
}
