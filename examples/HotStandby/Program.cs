// A service with a hot standby. In one terminal `hot-standby-example primary 0`, in another `hot-standby-example standby 1`,
// in any order; then `curl localhost:8080`, and stop and start them as you like.
var (name, rank, port) = (args.ElementAtOrDefault(0) ?? "primary", int.Parse(args.ElementAtOrDefault(1) ?? "0"), int.Parse(args.ElementAtOrDefault(2) ?? "8080"));

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
builder.WebHost.UseHotStandby(standby =>
{
    standby.Group = "example";
    standby.Member = name;
    standby.Rank = rank;
});

var app = builder.Build();
app.MapGet("/", () => $"{name} (process {Environment.ProcessId})\n");
app.Run();
