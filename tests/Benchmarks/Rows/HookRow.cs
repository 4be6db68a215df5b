using System.Globalization;
using System.Text.RegularExpressions;
using Maplog.Tests.Recorded;
using Npgsql;

namespace Maplog.Benchmarks.Rows;

/// <summary>
/// The hook by fentry, in a guest with a stock Debian kernel: what it adds to an update of a map, and what a data plane that
/// writes a watched map loses while capture runs to the log. The guest is emulated: its ratios count, not its times.
/// </summary>
/// <param name="suite">The Debian release whose kernel it is.</param>
internal sealed partial class HookRow(string suite) : IRow
{
    private const string Source = "costs";

    // The emulated kernel itself dies or stands still now and then, mostly where functions are hooked and let go.
    private const int MostBoots = 3, OutOfTime = 124, GuestDied = 125;

    public string Name => "hook";

    private static string Folder => Path.Combine(Repository.Root, "artifacts/bench", Source);

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        for (var boot = 1; ; boot++)
        {
            try
            {
                return await BootAsync(bench, cancellation);
            }
            catch (GuestException e) when (e.Status is OutOfTime or GuestDied && boot < MostBoots)
            {
                Console.Error.WriteLine($"  {e.Message}\n  once more");
            }
        }
    }

    private async Task<IReadOnlyList<Figure>> BootAsync(Bench bench, CancellationToken cancellation)
    {
        var store = await bench.MakeLogAsync(cancellation);
        await new Log.LogSchema(store).AddSourceAsync(Source, cancellation);
        var bus = new UriBuilder(await bench.MakeVirtualHostAsync()) { Host = "10.0.2.2" }.Uri;
        var log = new NpgsqlConnectionStringBuilder(store.Database.ConnectionString) { Host = "10.0.2.2" }.ConnectionString;
        var (rounds, seconds, hookRounds, windows, limit) = bench.Sizes.Rounds == 1 ? (1, 2, 1, 20, 300) : (12, 5, 15, 100, 1500);
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
        Directory.CreateDirectory(Folder);
        File.Copy(Path.Combine(AppContext.BaseDirectory, "guest"), Path.Combine(Folder, "guest"));
        using var guest = new Command(Folder,
        [
            // By the processor's own clock: without these words the guest asks an emulated timer for the time, at a microsecond each.
            Path.Combine(Repository.Root, "tests/Vm/vm"), "-k", suite, "-t", $"{limit}", "-a", "tsc=reliable clocksource=tsc", "-w", Folder,
            "-r", Repository.Bin, "-r", Path.GetFullPath(Path.Combine(Repository.Bin, "../lib")), "-r", Path.Combine(Repository.Root, "artifacts/costs"), "--",
            "./guest", Source, log, bus.AbsoluteUri, Repository.Bin, Path.Combine(Repository.Root, "artifacts/costs"), $"{rounds}", $"{seconds}", $"{hookRounds}", $"{windows}",
        ]);
        var phases = await FollowAsync(guest, cancellation);
        var status = await guest.EndAsync();
        await File.WriteAllLinesAsync(Path.Combine(Folder, "guest.log"), guest.Lines, cancellation);
        if (status != 0)
            throw new GuestException(status, guest.LastLines(20));
        await CheckLogAsync(store, guest.Lines, cancellation);
        return [.. Hook(guest.Lines), .. DataPlane(phases)];
    }

    private static async Task<List<Phase>> FollowAsync(Command guest, CancellationToken cancellation)
    {
        var phases = new List<Phase>();
        var (name, next) = ("", 0);
        while (!guest.HasEnded || next < guest.Lines.Count)
        {
            var lines = guest.Lines;
            for (; next < lines.Count; next++)
            {
                var line = lines[next];
                if (line.StartsWith("phase ", StringComparison.Ordinal))
                    name = line[6..];
                else if (TrafficLine().Match(line) is { Success: true } m)
                    phases.Add(Phase.Of(name, m.Groups));
                else if (!line.StartsWith("hook ", StringComparison.Ordinal))
                    continue;
                Console.Error.WriteLine($"  {name} {line}{(line[0] == 't' ? $": {phases[^1].PerLap:0.000} a lap" : "")}");
            }
            await Task.Delay(50, cancellation);
        }
        return phases;
    }

    // Capture must have been at work: what the program changed while it ran is in the log, each change once. Not by the program is
    // what a daemon finds in the map when it starts: a connection that came to no end while none was running.
    private static async Task CheckLogAsync(Log.LogStore store, IReadOnlyList<string> lines, CancellationToken cancellation)
    {
        var made = long.Parse(lines.Single(l => l.StartsWith("made ", StringComparison.Ordinal))[5..], CultureInfo.InvariantCulture);
        await using var count = store.Database.CreateCommand($"select count(*) from {store.Schema}.mt_events where tenant_id = '{Source}' and stream_id = '{Source}/costs_flows' and type like 'entry\\_%' and {store.Schema}.change_origin(bdata) = 'program'");
        var logged = (long)(await count.ExecuteScalarAsync(cancellation))!;
        Console.Error.WriteLine($"  {made} changes made by connections while capture ran, {logged} logged");
        if (made == 0 || logged != made)
            throw new InvalidOperationException($"Connections made {made} changes while capture ran, and {logged} are in the log.");
    }

    private static List<Figure> Hook(IReadOnlyList<string> lines)
    {
        var rounds = lines.Select(l => HookLine().Match(l)).Where(m => m.Success)
            .Select(m => m.Groups.Values.Skip(1).Select(g => double.Parse(g.Value, CultureInfo.InvariantCulture)).ToArray())
            .Select(v => (Bare: v[0], Seen: v[1] - v[0], Other: v[2] - v[0], Nothing: v[3] - v[0], Usual: v[4] - v[0])).ToList();
        if (rounds.Count == 0)
            throw new InvalidOperationException("The guest has not measured the hook.");
        double bare = Bench.Median(rounds.Select(r => r.Bare)), seen = Bench.Median(rounds.Select(r => r.Seen)), other = Bench.Median(rounds.Select(r => r.Other));
        double nothing = Bench.Median(rounds.Select(r => r.Nothing));
        Console.Error.WriteLine($"  two programs that do nothing in the hook's places add {nothing:0} ns, {nothing / bare:0.00} of a bare update");
        return
        [
            Figure.Compared("hook/usual", seen, Bench.Median(rounds.Select(r => r.Usual)), "ns", "what the usual design adds", Bench.Median(rounds.Select(r => r.Seen / r.Usual)), 0.2, 0.125),
            Figure.Compared("hook/watched", seen, bare, "ns", "the bare update", Bench.Median(rounds.Select(r => r.Seen / r.Bare)), 1.6, 1),
            Figure.Compared("hook/unwatched", other, bare, "ns", "the bare update", Bench.Median(rounds.Select(r => r.Other / r.Bare)), 0.35, 0.15),
        ];
    }

    private static List<Figure> DataPlane(List<Phase> phases)
    {
        var captured = Beside(phases, "on");
        Console.Error.WriteLine($"  {LossOf(captured)} lost with capture; {LossOf(Beside(phases, "busy"))} with a loop that only computes in capture's place");
        return [Figure.Compared("data-plane/loss", Bench.Median(captured.Select(r => r.With)), Bench.Median(captured.Select(r => r.Without)), "conn/lap", "the same without capture", Bench.Median(captured.Select(r => r.Loss)), 0.05, 0.02)];
    }

    // Each phase with something on CPU 1 beside those before and after it without.
    private static List<Round> Beside(List<Phase> phases, string name)
    {
        var measured = phases.Skip(1).Where(p => p.Name != "warm").ToList();
        return [.. measured.Index().Where(p => p.Item.Name == name).Select(p => new Round(p.Item.PerLap, (measured[p.Index - 1].PerLap + measured[p.Index + 1].PerLap) / 2))];
    }

    private static string LossOf(List<Round> rounds)
    {
        var losses = rounds.Select(r => r.Loss).ToList();
        var mean = losses.Average();
        var error = Math.Sqrt(losses.Sum(l => (l - mean) * (l - mean)) / Math.Max(1, losses.Count - 1) / losses.Count);
        return string.Create(CultureInfo.InvariantCulture, $"{mean:0.000} ± {error:0.000} (mean of {losses.Count}, median {Bench.Median(losses):0.000})");
    }

    [GeneratedRegex(@"^traffic connections (\d+) seconds ([\d.]+) laps (\d+) seconds ([\d.]+) changes \d+$")]
    private static partial Regex TrafficLine();

    [GeneratedRegex(@"^hook bare ([\d.]+) seen ([\d.]+) other ([\d.]+) nothing ([\d.]+) usual ([\d.]+)$")]
    private static partial Regex HookLine();

    /// <param name="With">Connections per lap with something on CPU 1.</param>
    /// <param name="Without">With nothing there.</param>
    private sealed record Round(double With, double Without)
    {
        public double Loss => 1 - With / Without;
    }

    private sealed class GuestException(int status, string lines) : Exception($"The guest ended with {status}: {lines}")
    {
        public int Status => status;
    }

    /// <param name="Name">on: with capture; busy: with something that only computes in its place; off: with neither.</param>
    /// <param name="Connection">Seconds of each connection.</param>
    /// <param name="Lap">Seconds of each lap of the same work between them: how fast the emulated processor was.</param>
    private sealed record Phase(string Name, double Connection, double Lap)
    {
        public double PerLap => Lap / Connection;

        public static Phase Of(string name, GroupCollection line)
        {
            double Number(int group) => double.Parse(line[group].Value, CultureInfo.InvariantCulture);
            return new Phase(name, Number(2) / Number(1), Number(4) / Number(3));
        }
    }
}
