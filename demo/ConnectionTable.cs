using System.Reflection;
using Maplog.Kernel;

namespace Maplog.Demo;

/// <summary>The map that is captured, and the program that changes it; both from traffic.bpf.c.</summary>
internal sealed class ConnectionTable : IDisposable
{
    private const int PacketBytes = 64;
    private static readonly byte[] Packet = new byte[PacketBytes];
    private readonly BpfObject _object;
    private readonly BpfProgram _traffic;

    public ConnectionTable(string pin)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("traffic.bpf.o")!;
        var elf = new byte[stream.Length];
        stream.ReadExactly(elf);
        _object = BpfObject.Open(elf, "traffic");
        try
        {
            _object.Load();
            _traffic = _object.Program("traffic");
            Map = _object.Map("ct_map");
            Map.Pin(pin);
            Pin = pin;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Pin { get; } = "";

    public BpfMap Map { get; } = null!;

    /// <summary>Packets arrive, each changes one entry.</summary>
    public void Receive(int packets)
    {
        if (packets > 0)
            _traffic.TestRun(Packet, packets);
    }

    public void Dispose()
    {
        Map?.Dispose();
        _object.Dispose();
    }
}
