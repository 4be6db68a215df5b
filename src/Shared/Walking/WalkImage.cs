using System.Reflection;
using Maplog.Kernel;

namespace Maplog.Walking;

/// <summary>The compiled bpf/walk.bpf.c, which travels in this assembly, and the names in it.</summary>
internal static class WalkImage
{
    public const string Find = "walk_find";
    public const string Walk = "walk";
    public const string Places = "walk_places";
    public const string Seen = "walk_seen";
    public const string Found = "walk_found";

    /// <param name="program">The one program of it that is loaded.</param>
    /// <param name="kernelBtf">A file with the BTF that describes the kernel's structures; null: the kernel's own.</param>
    public static BpfObject Open(string program, string? kernelBtf = null)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("walk.bpf.o")
            ?? throw new InvalidOperationException(
                "The BPF object walk.bpf.o is missing from this build of maplog: build it with `make build`.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var image = BpfObject.Open(bytes, "walk", kernelBtf);
        foreach (var other in image.Programs.Where(p => p.Name != program))
            image.SetAutoload(other.Name, false);
        return image;
    }
}
