namespace Maplog.Configuration;

/// <summary>Something that a daemon has before its work begins and until it has ended.</summary>
public interface IStartsFirst
{
    /// <returns>Null; or a sentence why it cannot, and then nothing else is started and the daemon ends with <see cref="DaemonExit.Failed"/>.</returns>
    Task<string?> StartAsync(CancellationToken cancellation);
}
