// What maplog costs beside the least that the same work could cost here: maplog-benchmarks [--short] [--out FILE] [ROW...]
using System.Globalization;
using System.Text.Json;
using Maplog.Benchmarks;
using Maplog.Benchmarks.Rows;

var isShort = args.Contains("--short");
var into = Array.IndexOf(args, "--out") is var at and >= 0 ? args[at + 1] : "artifacts/bench.json";
var wanted = args.Where((a, i) => a != "--short" && a != "--out" && (i == 0 || args[i - 1] != "--out")).ToList();
// One line for each row; they run in this order, so that a filled log is used by those after it.
IRow[] rows = [new ReplaySnapshotRow(), new ReplayRow(), new BootstrapRow(), new AppendAuditRow()];
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
var results = new List<Result>();
await using (var bench = new Bench(isShort ? Sizes.Short : Sizes.Full))
{
    foreach (var row in rows.Where(r => wanted.Count == 0 || wanted.Contains(r.Name)))
    {
        var measured = await row.RunAsync(bench, stop.Token);
        var against = string.Create(CultureInfo.InvariantCulture, $"{measured.Bare:0.###} {row.Unit}: {row.Against}");
        var result = new Result(row.Name, Math.Round(measured.Value, 3), row.Unit, against, Math.Round(measured.Ratio, 3), row.Must, row.Aim, measured.Ratio <= row.Must);
        results.Add(result);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Name,-16} {result.Value,10:0.###} {result.Unit,-9} against {result.Against}; ratio {result.Ratio:0.00}, must {result.Must:0.00}, aim {result.Aim:0.00}: {(result.Met ? "met" : "NOT MET")}"));
    }
}
Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(into))!);
await using (var file = File.Create(into))
    await JsonSerializer.SerializeAsync(file, results, new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true });
// A short run proves nothing about ratios.
return isShort || results.All(r => r.Met) ? 0 : 1;
