namespace Maplog.Observing;

/// <summary>Whether a daemon does its work at this moment.</summary>
public interface IReadiness
{
    Task<Readiness> CheckAsync(CancellationToken cancellation);
}
