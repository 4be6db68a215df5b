namespace Maplog.Tests.StandbyService;

internal interface IService
{
    Task StartAsync();

    /// <summary>Drains, closes, answers what it has.</summary>
    Task StopAsync();

    /// <summary>Closes the listener as it is, and stays.</summary>
    Task CloseAsync();

    /// <summary>Its serving path stands still from now on; its other threads go on.</summary>
    void Hang();
}
