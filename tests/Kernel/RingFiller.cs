using System.Buffers.Binary;
using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

/// <summary>A real ring and the program that fills it (tests/bpf/ring.bpf.c).</summary>
public sealed class RingFiller : IDisposable
{
    private readonly BpfObject _object;
    private readonly BpfProgram _fill;

    public RingFiller(uint size)
    {
        _object = TestObject.Open("ring");
        _object.SetAutoload("count", false);
        _object.SetAutoload("raw", false);
        _object.SetMaxEntries("ring", size);
        _object.Load();
        _fill = _object.Program("fill");
        Ring = _object.Map("ring");
        using var state = _object.Map("state");
        state.Update(new byte[sizeof(int)], [.. new byte[sizeof(long)], .. Pattern]);
    }

    /// <summary>What follows the number in a record of the longest, and as far as it goes in any other.</summary>
    public static byte[] Pattern { get; } = [.. Enumerable.Range(0, 2040).Select(i => (byte)((i * 7) + (i >> 8)))];

    public BpfMap Ring { get; }

    /// <summary>Writes records of <paramref name="length"/> bytes (8 to 2,048) that begin with a running number.</summary>
    /// <returns>False if the last found no room.</returns>
    public bool Fill(int length, int count = 1, int discardEvery = 0)
    {
        var command = new byte[64];
        BinaryPrimitives.WriteInt32LittleEndian(command, length);
        BinaryPrimitives.WriteInt32LittleEndian(command.AsSpan(4), discardEvery);
        uint returned = _fill.TestRun(command, count);
        Assert.InRange(returned, 1u, 2u);
        return returned == 2;
    }

    public void Dispose()
    {
        Ring.Dispose();
        _object.Dispose();
    }
}
