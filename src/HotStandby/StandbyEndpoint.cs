using System.Net;
using System.Net.Sockets;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>One address and port of a group: the program that chooses there, the sockets it chooses from and their heartbeats, all pinned.</summary>
internal sealed class StandbyEndpoint : IDisposable
{
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

    /// <summary>Whether connections of a closing listener are given to another. From kernel 5.14; before, the host's net.ipv4.tcp_migrate_req is not there either.</summary>
    public bool Migrates => Program.Info.Name == StandbyImage.Migrate;

    public static StandbyEndpoint OpenOrMake(StandbyGroup group, ProtocolType protocol, IPEndPoint endpoint, bool migrate)
    {
        var folder = Path.Combine(group.EndpointsFolder, EndpointName.Of(protocol, endpoint));
        if (!Directory.Exists(folder))
            PinnedFolder.Make(folder, unfinished => Fill(group, unfinished, migrate));
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

    /// <summary>What stands there of a slot's member.</summary>
    public ref PortRecord Port(int slot) => ref _records[slot];

    public void Dispose()
    {
        Sockets.Dispose();
        _ports.Dispose();
        Program.Dispose();
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
        catch (KernelException e) when (e.Errno != Errno.Eperm)
        {
            // A kernel without migration does not know the field that the program reads.
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
