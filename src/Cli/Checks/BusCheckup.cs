using Maplog.Bus;

namespace Maplog.Cli.Checks;

/// <summary>RabbitMQ: whether it accepts the login.</summary>
/// <param name="options">Reads the settings; throws <see cref="UsageException"/> if they are wrong.</param>
internal sealed class BusCheckup(Func<BusOptions> options) : ICheckup
{
    public string Area => "bus";

    public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellation)
    {
        var found = new Findings(Area);
        try
        {
            var server = new BusServer(options());
            if (await server.TryAsync(cancellation) is { } away)
                found.Fail("RabbitMQ", away, "Start it, or correct Maplog:Bus:Uri.");
            else
                found.Ok("RabbitMQ", $"{server.Address} accepts the login");
        }
        catch (UsageException e)
        {
            foreach (var mistake in e.Mistakes)
                found.Fail("settings", mistake, null);
        }
        catch (BusRefusedException e)
        {
            found.Fail("RabbitMQ", e.Message, null);
        }
        return found.All;
    }
}
