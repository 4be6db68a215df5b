using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

/// <summary>A folder for a test's pins, gone with all that is in it when the test ends.</summary>
public sealed class PinFolder : IDisposable
{
    public PinFolder() => Bpffs.EnsureMounted(Folder);

    public string Folder { get; } = $"{Bpffs.Root}/maplog_test_{Guid.NewGuid():N}";

    public string this[string name] => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
