using System.Reflection;

namespace Maplog.Hooking;

/// <summary>The compiled bpf/capture.bpf.c, which is embedded in this assembly.</summary>
internal static class CaptureImage
{
    /// <summary>MAPLOG_LAYOUT.</summary>
    public const int Layout = 2;

    public static byte[] Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("capture.bpf.o")
            ?? throw new InvalidOperationException("The BPF object capture.bpf.o is missing from this build of maplog: build it with `make build`.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
