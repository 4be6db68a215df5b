using System.Reflection;
using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

/// <summary>The tests' own BPF objects, built from tests/bpf.</summary>
public static class TestObject
{
    /// <summary>Opens <c>tests/bpf/NAME.bpf.c</c> as it was compiled.</summary>
    public static BpfObject Open(string name) => BpfObject.Open(Bytes(name), name);

    /// <summary>The object file itself.</summary>
    public static byte[] Bytes(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{name}.bpf.o")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
