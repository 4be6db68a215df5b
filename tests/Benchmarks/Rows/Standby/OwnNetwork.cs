using System.Diagnostics;
using System.Text.Json;

namespace Maplog.Benchmarks.Rows.Standby;

/// <summary>A row measured in a network namespace of its own, by this program once more, so that no port is somebody's and no firewall counts.</summary>
internal static class OwnNetwork
{
    private const string Inside = "MAPLOG_BENCH_NETWORK";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static bool IsInside => Environment.GetEnvironmentVariable(Inside) == "own";

    public static async Task<IReadOnlyList<Figure>> RunAsync(IRow row, Sizes sizes, CancellationToken cancellation)
    {
        var into = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo("unshare", ["--net", "--kill-child", "--fork", "--", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", Environment.ProcessPath!]);
            if (!Path.GetFileName(Environment.ProcessPath!).StartsWith("maplog", StringComparison.Ordinal))
                start.ArgumentList.Add(typeof(OwnNetwork).Assembly.Location); // started by dotnet
            foreach (var argument in (string[])["--out", into, .. sizes.Rounds == Sizes.Short.Rounds ? ["--short"] : Array.Empty<string>(), row.Name])
                start.ArgumentList.Add(argument);
            start.Environment[Inside] = "own";
            start.RedirectStandardOutput = true; // the figures are printed by who asked
            using var process = Process.Start(start)!;
            await using var ends = cancellation.Register(() => process.Kill(entireProcessTree: true));
            await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            await process.WaitForExitAsync(CancellationToken.None);
            cancellation.ThrowIfCancellationRequested();
            if (new FileInfo(into).Length == 0)
                throw new InvalidOperationException($"The row {row.Name} could not be measured in a network namespace of its own: unshare or the row ended with {process.ExitCode}, see above.");
            await using var file = File.OpenRead(into);
            var told = await JsonSerializer.DeserializeAsync<List<Told>>(file, Json, CancellationToken.None);
            return [.. told!.Select(t => new Figure(t.Name, t.Value, t.Unit, t.Against, t.Ratio, new Bar(t.Must, t.Aim)))];
        }
        finally
        {
            File.Delete(into);
        }
    }

    private sealed record Told(string Name, double Value, string Unit, string? Against, double? Ratio, double Must, double Aim);
}
