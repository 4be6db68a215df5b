using Maplog.Kernel;

namespace Maplog.Cli.Checks;

/// <summary>The kernel's information in /proc and /sys.</summary>
/// <param name="root">The folder with both; another folder in tests.</param>
internal sealed class HostFiles(string root = "/")
{
    public bool Exists(string path) => Path.Exists(At(path));

    /// <summary>Bytes of a file; null if it does not exist.</summary>
    public long? Size(string path) => File.Exists(At(path)) ? new FileInfo(At(path)).Length : null;

    /// <summary>The text without surrounding white space; null if it cannot be read.</summary>
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

    /// <summary>Empty if the file cannot be read.</summary>
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

    /// <summary>Why other processes do not see the pins in a folder; null if they do, or if it is unknown.</summary>
    public string? WhyUnseen(string folder) => root == "/" ? MountView.WhyUnseen(folder) : null;

    private string At(string path) => Path.Combine(root, path.TrimStart('/'));
}
