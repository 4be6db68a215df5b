namespace Maplog.Tests.Recorded;

/// <summary>Where what was built lies.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>The three commands, ready to run.</summary>
    public static string Bin => Environment.GetEnvironmentVariable("MAPLOG_BIN") is { Length: > 0 } bin ? bin : Path.Combine(Root, "artifacts/bin");

    /// <summary>The folder of mapdriver.</summary>
    public static string Driver => Path.Combine(Root, "artifacts/driver");

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Replication.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException($"{AppContext.BaseDirectory} does not lie in maplog's repository: the tests need what was built there.");
    }
}
