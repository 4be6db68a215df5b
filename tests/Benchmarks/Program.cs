// What maplog costs beside the least that the same work could cost here: maplog-benchmarks [--short] [--seconds N] [--events N] [--kernel SUITE] [--out FILE] [--without ROW] [ROW...]
using System.Runtime.InteropServices;
using System.Text.Json;
using Maplog.Benchmarks;
using Maplog.Benchmarks.Rows;

Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine($"maplog-benchmarks: {e.Message}");
    return 2;
}
// One line for each row; they run in this order, so that a filled log is used by those after it.
IRow[] rows =
[
    new ReplaySnapshotRow(), new ReplayRow(), new BootstrapRow(), new HistoryKeyRow(), new AppendAuditRow(),
    new AppendRow(), new EndToEndRow(), new LagRow("lag-10k", 10_000, new Bar(12, 6), new Bar(30, 15)), new LagRow("lag-40k", 40_000, null, new Bar(100, 50)), new CatchUpRow(), new MemoryRow(),
    new WalkRow(), new InPlaceRow(),
    new StandbyRow(), new SyscallProbeRow(), new RingReaderRow(), new HookRow(options.Kernel),
    GrowthRow.OfMaps, GrowthRow.OfEntries, GrowthRow.OfHistory, // the last: it writes into the filled log
];
if (options.Rows.Append(options.Without).FirstOrDefault(w => w is not null && rows.All(r => r.Name != w)) is { } unknown)
{
    Console.Error.WriteLine($"maplog-benchmarks: there is no row '{unknown}': {string.Join(", ", rows.Select(r => r.Name))}.");
    return 2;
}
using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
var figures = new List<Figure>();
var failed = new List<string>();
try
{
    await using var bench = new Bench(options.Sizes);
    foreach (var row in rows.Where(r => options.Wants(r.Name)))
    {
        try
        {
            await bench.DropLogsAsync(); // of the row before
            foreach (var figure in await row.RunAsync(bench, stop.Token))
            {
                figures.Add(figure);
                Console.WriteLine(figure);
            }
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            // The figures of the others are worth an hour.
            failed.Add(row.Name);
            Console.Error.WriteLine($"maplog-benchmarks: {row.Name} failed: {e}");
        }
    }
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("maplog-benchmarks: stopped; nothing was written.");
    return 130;
}
Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.Into))!);
await using (var file = File.Create(options.Into))
    await JsonSerializer.SerializeAsync(file, figures.Select(f => new { f.Name, f.Value, f.Unit, f.Against, f.Ratio, f.Must, f.Aim, f.Met }), new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true });
if (failed.Count > 0)
{
    Console.Error.WriteLine($"maplog-benchmarks: failed: {string.Join(", ", failed)}");
    return 1;
}
// A short run proves nothing about ratios.
return options.IsShort || figures.All(f => f.Met) ? 0 : 1;
