// What maplog costs beside the least that the same work could cost here: maplog-benchmarks [--short] [--out FILE] [ROW...]
using System.Text.Json;
using Maplog.Benchmarks;
using Maplog.Benchmarks.Rows;

var isShort = args.Contains("--short");
var into = Array.IndexOf(args, "--out") is var at and >= 0 ? args[at + 1] : "artifacts/bench.json";
var wanted = args.Where((a, i) => a != "--short" && a != "--out" && (i == 0 || args[i - 1] != "--out")).ToList();
// One line for each row; they run in this order, so that a filled log is used by those after it.
IRow[] rows = [new ReplaySnapshotRow(), new ReplayRow(), new BootstrapRow(), new HistoryKeyRow(), new AppendAuditRow()];
if (wanted.FirstOrDefault(w => rows.All(r => r.Name != w)) is { } unknown)
{
    Console.Error.WriteLine($"maplog-benchmarks: there is no row '{unknown}': {string.Join(", ", rows.Select(r => r.Name))}.");
    return 2;
}
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
var figures = new List<Figure>();
await using (var bench = new Bench(isShort ? Sizes.Short : Sizes.Full))
{
    foreach (var row in rows.Where(r => wanted.Count == 0 || wanted.Contains(r.Name)))
    {
        foreach (var figure in await row.RunAsync(bench, stop.Token))
        {
            figures.Add(figure);
            Console.WriteLine(figure);
        }
    }
}
Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(into))!);
await using (var file = File.Create(into))
    await JsonSerializer.SerializeAsync(file, figures.Select(f => new { f.Name, f.Value, f.Unit, f.Against, f.Ratio, f.Must, f.Aim, f.Met }), new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true });
// A short run proves nothing about ratios.
return isShort || figures.All(f => f.Met) ? 0 : 1;
