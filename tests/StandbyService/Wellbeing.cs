namespace Maplog.Tests.StandbyService;

/// <summary>What the service's checks say.</summary>
internal sealed class Wellbeing
{
    public volatile bool Healthy = true;
    public volatile bool Eligible;
}
