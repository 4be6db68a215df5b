using Maplog.Kernel;

namespace Maplog.Cli.Checks;

/// <summary>What the kernel tells in /proc and /sys.</summary>
/// <param name="root">Where these are; another folder in tests.</param>
internal sealed class HostFiles(string root = "/")
{
    public bool Exists(string path) => Path.Exists(At(path));

    /// <summary>Bytes of a file; null where there is none.</summary>
    public long? Size(string path) => File.Exists(At(path)) ? new FileInfo(At(path)).Length : null;

    /// <summary>The text without the white space around it; null where it cannot be read.</summary>
    public string? Read(string path)
    {
        try
        {
            return File.ReadAllText(At(path)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>None where the file cannot be read.</summary>
    public IEnumerable<string> Lines(string path)
    {
        try
        {
            return File.ReadLines(At(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Why other processes do not see the pins in a folder; null where they do, or it is not known.</summary>
    public string? WhyUnseen(string folder) => root == "/" ? MountView.WhyUnseen(folder) : null;

    private string At(string path) => Path.Combine(root, path.TrimStart('/'));
}
