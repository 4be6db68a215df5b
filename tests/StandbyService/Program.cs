using Maplog.HotStandby;
using Maplog.Tests.StandbyService;

// Settings as name=value; then commands on standard input, a line each, answered with a line each. Ends with its input.
var settings = args.Select(a => a.Split('=', 2)).ToDictionary(p => p[0], p => p[1]);
var options = new StandbyOptions
{
    PinRoot = settings["root"],
    Group = settings["group"],
    Member = settings["member"],
    Rank = Number("rank", 0),
    Weight = Number("weight", 100),
    Timeout = settings.ContainsKey("timeout") ? TimeSpan.FromMilliseconds(Number("timeout", 0)) : null,
    Policy = settings.TryGetValue("policy", out var policy) ? Enum.Parse<StandbyPolicy>(policy) : null,
    Failback = settings.TryGetValue("failback", out var failback) ? Enum.Parse<Failback>(failback) : null,
    Migrate = Number("migrate", 1) == 1,
    CheckEvery = TimeSpan.FromMilliseconds(20),
    Complain = Number("quiet", 0) == 1 ? null : Console.Error.WriteLine,
    Replicas = settings.TryGetValue("replica", out var replica) ? [replica] : [],
};
var well = new Wellbeing();
if (settings.ContainsKey("checks"))
{
    options.Healthy = _ => ValueTask.FromResult(well.Healthy);
    options.Eligible = _ => ValueTask.FromResult(well.Eligible);
}
if (Number("spare", 0) == 1 && Console.ReadLine() is null)
    return 0;

IService service = settings["kind"] switch
{
    "tcp" => new TcpService(options, settings["address"], defer: Number("defer", 0) == 1),
    "udp" => new UdpService(options, settings["address"]),
    "kestrel" => new KestrelService(options, settings["address"]),
    var kind => throw new ArgumentException($"There is no service of the kind {kind}."),
};
try
{
    await service.StartAsync();
}
catch (Exception e) when (e is StandbyException or Maplog.Kernel.KernelException or IOException)
{
    Console.WriteLine($"failed {e.Message}");
    return 1;
}
Console.WriteLine($"ready {Environment.ProcessId}");
while (Console.ReadLine() is { } command)
{
    switch (command)
    {
        case "stop":
            await service.StopAsync();
            Console.WriteLine("stopped");
            return 0;
        case "close":
            await service.CloseAsync();
            break;
        case "forget" when service is KestrelService kestrel:
            kestrel.Forget();
            break;
        case "hang":
            service.Hang();
            break;
        case "unhealthy" or "healthy":
            well.Healthy = command == "healthy";
            break;
        case "ineligible" or "eligible":
            well.Eligible = command == "eligible";
            break;
        default:
            throw new ArgumentException($"There is no command {command}.");
    }
    Console.WriteLine(command);
}
return 0;

int Number(string name, int otherwise) => settings.TryGetValue(name, out var text) ? int.Parse(text) : otherwise;
