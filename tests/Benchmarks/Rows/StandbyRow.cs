using System.Net;
using Maplog.Benchmarks.Rows.Standby;
using Maplog.HotStandby;
using Maplog.Kernel;

namespace Maplog.Benchmarks.Rows;

/// <summary>
/// New connections at a port of a hot-standby group, against the kernel's own choice by hash and against HAProxy doing the same
/// failover; and what the program takes for a choice. Clients and servers fill this machine's processors, so what they make of a second
/// of processor time is their rate, and it is one that other work on the machine does not change.
/// </summary>
internal sealed class StandbyRow : IRow
{
    private const int Warm = 1;
    private static readonly IPEndPoint Hashed = Local(7001), Weighted = Local(7003), Ranked = Local(7004), Front = Local(7005), Primary = Local(7006), Backup = Local(7007);

    public string Name => "standby";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        if (!OwnNetwork.IsInside)
            return await OwnNetwork.RunAsync(this, bench.Sizes, cancellation);
        using var hashed = Acceptors.Plain(Hashed, 2);
        using var weighted = new MeasuredGroup("weighted", StandbyPolicy.Weighted, Weighted);
        using var ranked = new MeasuredGroup("ranked", StandbyPolicy.Ranked, Ranked);
        using var primary = Acceptors.Plain(Primary, 1);
        using var backup = Acceptors.Plain(Backup, 1);
        using var proxy = new HaProxy(Front, Primary, Backup);
        await proxy.AnswersAsync(cancellation);

        var turn = TimeSpan.FromMilliseconds(20 * bench.Sizes.AppendSeconds);
        IPEndPoint[] ways = [Hashed, Weighted, Ranked, Front];
        var (rates, seconds) = (ways.ToDictionary(way => way, _ => new List<double>()), ways.ToDictionary(way => way, _ => new List<double>()));
        // In short turns, there and back, so that what else the machine does meets all alike; each is held against the others of its round.
        for (var round = -Warm; round < 16 * bench.Sizes.Rounds; round++)
        {
            foreach (var way in round % 2 == 0 ? ways : ways.Reverse())
            {
                cancellation.ThrowIfCancellationRequested();
                var used = Processor();
                var (connections, elapsed) = Connections.Make(way, turn);
                used = Processor() - used;
                if (round < 0)
                    continue;
                rates[way].Add(connections / used.TotalSeconds);
                seconds[way].Add(connections / elapsed.TotalSeconds);
            }
        }
        Console.Error.WriteLine($"  hash, weighted, ranked, HAProxy: {string.Join(", ", ways.Select(way => $"{Median(seconds[way]):0} ({seconds[way].Min():0} to {seconds[way].Max():0})"))} conn/s");
        var choice = NanosecondsPerChoice(ranked, turn * 8);
        return
        [
            Compared("weighted", Weighted, Hashed, "the kernel's own hash over the same two listeners", 0.95, 1),
            Compared("ranked", Ranked, Hashed, "the same, where the group has all go to one", 0.95, 1),
            Compared("proxy", Ranked, Front, "HAProxy before a primary and a backup", 1.5, 2.5),
            Figure.Plain($"{Name}/choice", choice, "ns", 1000, 500),
        ];

        TimeSpan Processor() => Environment.CpuUsage.TotalTime + proxy.Processor;

        Figure Compared(string name, IPEndPoint ours, IPEndPoint theirs, string what, double must, double aim) => Figure.Compared(
            $"{Name}/{name}", Median(rates[ours]), Median(rates[theirs]), "conn/cpu-s", what, Median([.. rates[ours].Zip(rates[theirs], (a, b) => a / b)]), must, aim);
    }

    // By the kernel's own clock around the program; it costs each run some 20 ns, which are in the figure.
    private static double NanosecondsPerChoice(MeasuredGroup group, TimeSpan time)
    {
        using var statistics = ProgramStatistics.Enable();
        using var program = group.OpenProgram();
        var before = program.ReadInfo();
        Connections.Make(group.Address, time);
        var after = program.ReadInfo();
        return (after.RunTime - before.RunTime).TotalNanoseconds / (after.RunCount - before.RunCount);
    }

    private static IPEndPoint Local(int port) => new(IPAddress.Loopback, port);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
