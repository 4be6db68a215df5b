using System.Reflection;
using System.Runtime.InteropServices;
using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Benchmarks.Rows;

/// <summary>
/// The syscall probe on this machine: updates by bpf(2) of a watched map with it and without, and what other system calls
/// pay for it beside what they pay for a program that does nothing on the same tracepoint.
/// </summary>
internal sealed partial class SyscallProbeRow : IRow
{
    private const int Keys = 4096, RingBytes = 16 << 20, Updates = 32, OtherCalls = 100;
    private readonly byte[] _key = new byte[Sizes.KeySize], _value = new byte[Sizes.ValueSize];
    private int _next;

    public string Name => "syscall-probe";

    public Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        using var map = BpfMap.Create("costs_syscall", MapType.Hash, Sizes.KeySize, Sizes.ValueSize, Keys);
        using var nothing = Nothing();
        var (rounds, windows) = bench.Sizes.Rounds == 1 ? (1, 10) : (25, 300);
        List<(double Bare, double Probed, double Nothing, double Other, double OtherProbed, double OtherNothing)> times = [];
        for (var round = 0; round < rounds && !cancellation.IsCancellationRequested; round++)
        {
            double bare = Least.Of(windows, Updates, n => Update(map, n)), other = Least.Of(windows, OtherCalls, Call), probed, withNothing, otherProbed, otherNothing;
            using (var hook = CaptureHook.Attach(new HookOptions { Probe = Probe.Syscall, RingBytes = RingBytes, Names = [NamePattern.Parse("costs_syscall")] }))
            {
                // A page of the ring costs microseconds when it is first written, and from the second time round nothing.
                while (hook.Ring.Cursor < RingBytes)
                {
                    Update(map, Updates);
                    Drain(hook.Ring);
                }
                var read = 0;
                probed = Least.Of(windows, Updates, n => Update(map, n), () => read += Drain(hook.Ring));
                if (read < windows * Updates)
                    throw new InvalidOperationException($"The probe recorded {read} of {windows * Updates} updates and more.");
                otherProbed = Least.Of(windows, OtherCalls, Call);
            }
            using (nothing.Program("nothing").Attach())
            {
                withNothing = Least.Of(windows, Updates, n => Update(map, n));
                otherNothing = Least.Of(windows, OtherCalls, Call);
            }
            times.Add((bare, probed, withNothing, other, otherProbed, otherNothing));
            Console.Error.WriteLine($"  {round}: update {bare:0}, {probed:0} with the probe, {withNothing:0} with a program that does nothing; getppid {other:0}, {otherProbed:0} with the probe, {otherNothing:0} with a program that does nothing");
        }
        var least = Bench.Median(times.Select(t => t.Nothing - t.Bare));
        Console.Error.WriteLine($"  a program that does nothing on the tracepoint adds {least:0} ns to an update, {least / Bench.Median(times.Select(t => t.Bare)):0.00} of it");
        return Task.FromResult<IReadOnlyList<Figure>>(
        [
            Figure.Compared($"{Name}/update", Bench.Median(times.Select(t => t.Probed)), Bench.Median(times.Select(t => t.Bare)), "ns", "the same update without the probe", Bench.Median(times.Select(t => t.Probed / t.Bare)), 1.3, 1.15),
            Figure.Compared($"{Name}/other", Bench.Median(times.Select(t => t.OtherProbed)), Bench.Median(times.Select(t => t.OtherNothing)), "ns", "getppid with a program that does nothing on the same tracepoint", Bench.Median(times.Select(t => t.OtherProbed / t.OtherNothing)), 1.15, 1.02),
        ]);
    }

    private static int Drain(RingReader ring)
    {
        var read = 0;
        while (ring.TryRead(out _))
            read++;
        ring.Release(ring.Cursor);
        return read;
    }

    private static BpfObject Nothing()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("nothing.bpf.o")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var image = BpfObject.Open(bytes, "nothing");
        image.Load();
        return image;
    }

    private void Update(BpfMap map, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Changes.Key(_key, _next++ % Keys);
            map.Update(_key, _value);
        }
    }

    private static void Call(int count)
    {
        for (var i = 0; i < count; i++)
            _ = Getppid();
    }

    // The least of system calls, by no wrapper that could add to it.
    [LibraryImport("libc", EntryPoint = "getppid")]
    [SuppressGCTransition]
    private static partial int Getppid();
}
