// A service with a hot standby. In one terminal `hot-standby-example primary 0`, in another `hot-standby-example standby 1`,
// in any order; then `curl localhost:8080`, and stop and start them as you like.
using System.Globalization;

var name = args.ElementAtOrDefault(0) ?? "primary";
if (args.Length > 3 || !Number(1, 0, int.MaxValue, 0, out var rank) || !Number(2, 1, ushort.MaxValue, 8080, out var port))
{
    Console.Error.WriteLine("usage: hot-standby-example [NAME] [RANK] [PORT]");
    return 2;
}

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Logging.AddFilter("Microsoft", LogLevel.None); // why it does not start is said below
builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
builder.WebHost.UseHotStandby(standby =>
{
    standby.Group = "example";
    standby.Member = name;
    standby.Rank = rank;
});

var app = builder.Build();
app.MapGet("/", () => $"{name} (process {Environment.ProcessId})\n");
try
{
    app.Run();
    return 0;
}
catch (Exception e)
{
    Console.Error.WriteLine($"hot-standby-example: {e.Message}");
    return 1;
}

bool Number(int place, int least, int most, int otherwise, out int number)
{
    number = otherwise;
    return args.Length <= place || (int.TryParse(args[place], NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most);
}
