namespace Maplog.Configuration;

/// <summary>A part of a daemon that starts before its work and ends after it.</summary>
public interface IStartsFirst
{
    /// <returns>
    /// Null, or a sentence with the reason for a failure; then nothing else starts, and the daemon ends with <see
    /// cref="DaemonExit.Failed"/>.
    /// </returns>
    Task<string?> StartAsync(CancellationToken cancellation);
}
