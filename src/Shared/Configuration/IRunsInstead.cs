namespace Maplog.Configuration;

/// <summary>A service that a daemon runs instead of starting, when its settings are valid.</summary>
public interface IRunsInstead
{
    /// <returns>The exit code.</returns>
    int Run();
}
