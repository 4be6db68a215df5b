// How many connections a second, and what the choice costs: the kernel's own hash, the hot-standby program, HAProxy.
// In a network namespace of its own: unshare --net sh -c 'ip link set lo up; dotnet bench/HotStandby/bin/Release/net10.0/maplog-standby-rate.dll'
using System.Net;
using Maplog.HotStandby;
using Maplog.Kernel;
using Maplog.StandbyRate;

var rounds = args.Length > 0 ? int.Parse(args[0]) : 25;
var time = TimeSpan.FromMilliseconds(400);
var root = $"{Bpffs.Root}/maplog_rate_{Environment.ProcessId}";
var (hashed, chosen, ranked) = (Local(7001), Local(7002), Local(7003));
using (var own = new Acceptors(hashed, (_, s) => { SharedPort.Allow(s); s.Bind(hashed); }, (_, _) => { }, (_, _, _) => true))
{
    var weighted = Group("weighted", StandbyPolicy.Weighted, chosen, out var weightedMembers);
    var first = Group("ranked", StandbyPolicy.Ranked, ranked, out var rankedMembers);
    var (primary, backup, front) = (Local(7004), Local(7005), Local(7006));
    using var one = new Acceptors(primary, (_, s) => { SharedPort.Allow(s); s.Bind(primary); }, (_, _) => { }, (_, _, _) => true);
    using var two = new Acceptors(backup, (_, s) => { SharedPort.Allow(s); s.Bind(backup); }, (_, _) => { }, (_, _, _) => true);
    using var proxy = Proxy.IsHere ? new Proxy(front, primary, backup) : null;
    Thread.Sleep(1500);

    List<(string Name, IPEndPoint Address, List<double> Rates, List<double> Costs)> ways =
        [("the kernel's own hash", hashed, [], []), ("weighted, 50 to 50", chosen, [], []), ("ranked, all to one", ranked, [], [])];
    if (proxy is not null)
        ways.Add(("HAProxy", front, [], []));
    foreach (var way in ways)
        Clients.Measure(way.Address, time); // warm
    // In turns, so that what else the machine does meets all alike; and each turn is held against the kernel's own of the same round.
    for (var round = 0; round < rounds; round++)
    {
        foreach (var way in ways)
        {
            var (before, used) = (Processor(proxy), 0.0);
            var rate = Clients.Measure(way.Address, time, out var connections);
            used = (Processor(proxy) - before).TotalMicroseconds;
            way.Rates.Add(rate);
            way.Costs.Add(used / connections);
        }
    }
    foreach (var (name, _, rates, costs) in ways)
    {
        Console.WriteLine(
            $"{name,-22} {Median(rates),7:0} connections/s ({rates.Min():0} to {rates.Max():0}, {rounds} rounds), {Median(Ratios(rates, ways[0].Rates)):0.00} of the kernel's own; "
            + $"{Median(costs),5:0.0} us of processor each, clients' and servers', {Median(Ratios(costs, ways[0].Costs)):0.00} of it");
    }

    using (var statistics = ProgramStatistics.Enable())
    {
        foreach (var (name, address) in new[] { ("weighted", chosen), ("ranked", ranked) })
        {
            using var program = PinnedProgram.Open($"{root}/{name}/rate/endpoints/tcp-7f000001-{address.Port}/program");
            var before = program.ReadInfo();
            Clients.Measure(address, time);
            var after = program.ReadInfo();
            Console.WriteLine($"the program, {name}: {(after.RunTime - before.RunTime).TotalNanoseconds / (after.RunCount - before.RunCount):0} ns per choice over {after.RunCount - before.RunCount} choices");
        }
    }
    weighted.Dispose();
    first.Dispose();
    foreach (var member in weightedMembers.Concat(rankedMembers))
        member.Dispose();
}
foreach (var name in new[] { "weighted", "ranked" })
    StandbyGroup.Remove($"{root}/{name}", "rate");
Directory.Delete(root, recursive: true);

Acceptors Group(string name, StandbyPolicy policy, IPEndPoint address, out List<StandbyMember> members)
{
    var joined = Enumerable.Range(0, 2).Select(n => Acceptors.Member($"{root}/{name}", n, policy)).ToList();
    members = joined;
    return new Acceptors(address, (n, s) => joined[n].Bind(s, address), (n, s) => joined[n].Serve(s), (n, l, s) => joined[n].Admit(l, s));
}

static TimeSpan Processor(Proxy? proxy) => Environment.CpuUsage.TotalTime + (proxy?.Processor ?? TimeSpan.Zero);

static List<double> Ratios(List<double> values, List<double> against) => [.. values.Zip(against, (v, a) => v / a)];

static IPEndPoint Local(int port) => new(IPAddress.Loopback, port);

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
