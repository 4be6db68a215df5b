// How far events lag behind by each way over RabbitMQ, and how many go through: maplog-bus-lag [ROUNDS]
using System.Globalization;
using Maplog.BusLag;
using Maplog.Events;
using Maplog.Servers;

var rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 3;
var duration = TimeSpan.FromSeconds(6);
await using var server = new PrivateRabbitMq();
await server.StartAsync();
var figures = new Dictionary<string, List<double[]>>();
for (var round = 0; round < rounds; round++)
{
    // In turns, because the machine drifts.
    for (var kind = 0; kind < 5; kind++)
    {
        var stream = new StreamName($"s{round}-{kind}", "ct_map");
        await using IWay way = kind switch
        {
            0 => new MassTransitWay(stream),
            1 => new ClientWay(stream, window: 0, persistent: false),
            2 => new ClientWay(stream, window: 16, persistent: false),
            3 => new ClientWay(stream, window: 0, persistent: true),
            _ => new ClientWay(stream, window: 16, persistent: true),
        };
        var measurement = new Measurement(way, stream);
        await way.OpenAsync(server.Uri, measurement.Arrived);
        var slow = await measurement.LagAsync(10_000, duration);
        var fast = await measurement.LagAsync(50_000, duration);
        double[] row = [slow.P50, slow.P99, fast.P50, fast.P99, await measurement.MostAsync(500, duration), await measurement.MostAsync(1000, duration)];
        if (!figures.TryGetValue(way.Name, out var rows))
            figures[way.Name] = rows = [];
        rows.Add(row);
        Console.Error.WriteLine($"{way.Name}: {string.Join("  ", row.Select(f => f.ToString("0.0", CultureInfo.InvariantCulture)))}");
    }
}
Console.WriteLine("| way, medians | p50 / p99 ms at 10,000/s | at 50,000/s | events/s, blocks of 500 | of 1,000 |");
Console.WriteLine("|---|---|---|---|---|");
foreach (var (name, rows) in figures)
{
    var m = Enumerable.Range(0, 6).Select(i => rows.Select(r => r[i]).Order().ElementAt(rows.Count / 2)).ToArray();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {m[0]:0.0} / {m[1]:0.0} | {m[2]:0.0} / {m[3]:0.0} | {m[4]:N0} | {m[5]:N0} |"));
}
