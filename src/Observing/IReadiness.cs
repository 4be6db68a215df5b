namespace Maplog.Observing;

/// <summary>Whether a daemon does what it is there for, at this moment.</summary>
public interface IReadiness
{
    Task<Readiness> CheckAsync(CancellationToken cancellation);
}
