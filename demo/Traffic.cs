using System.Diagnostics;

namespace Maplog.Demo;

/// <summary>Changes the connection table at a steady rate in every way that the probe can see, and counts what it did.</summary>
/// <param name="table">The map.</param>
/// <param name="withProgram">Whether the BPF program takes part.</param>
/// <param name="rate">Changes per second, all together.</param>
internal sealed class Traffic(ConnectionTable table, bool withProgram, int rate)
{
    private const int Clients = 2048, BatchSize = 64;
    private const uint ByCall = 0x0a800000, ByBatch = 0x0a900000, ByBpftool = 0x0aa00000, Server = 0xc0000202;
    private const uint LastConnection = 65535;
    private const double ShareOfProgram = 0.8;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan BpftoolPause = TimeSpan.FromMilliseconds(400);

    private readonly Random _random = new(1);
    private readonly bool[] _known = new bool[Clients];
    private readonly byte[] _keys = new byte[BatchSize * Flow.KeySize];
    private readonly byte[] _values = new byte[BatchSize * Flow.ValueSize];
    private long _byProgram, _byCall, _byBatch, _byBpftool, _packets;
    private bool _batchIsThere;
    private uint _batch;

    /// <summary>The ways, and the changes made in each.</summary>
    public IReadOnlyList<(string Way, long Changes)> Made =>
    [
        .. withProgram ? [("a BPF program", Interlocked.Read(ref _byProgram))] : Array.Empty<(string, long)>(),
        ("bpf(2)", Interlocked.Read(ref _byCall)),
        ("bpf(2) in batches", Interlocked.Read(ref _byBatch)),
        ("bpftool", Interlocked.Read(ref _byBpftool)),
    ];

    public long Total => Made.Sum(m => m.Changes);

    /// <summary>Goes on until it is cancelled, then returns. The last word is bpftool's.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await Task.WhenAll(SteadyAsync(cancellation), BpftoolAsync(cancellation));
        await BpftoolAsync(update: true, LastConnection);
        await BpftoolAsync(update: false, LastConnection);
    }

    private Task SteadyAsync(CancellationToken cancellation)
    {
        var ended = new TaskCompletionSource();
        // A thread of its own, because the kernel records its name.
        new Thread(() =>
        {
            try
            {
                Steady(cancellation);
                ended.SetResult();
            }
            catch (Exception e)
            {
                ended.SetException(e);
            }
        })
        { Name = "control-plane", IsBackground = true }.Start();
        return ended.Task;
    }

    private void Steady(CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        double done = 0;
        while (!cancellation.IsCancellationRequested)
        {
            // What could not be done in time is not made up for: the machine is what it is.
            var due = Math.Min(rate * watch.Elapsed.TotalSeconds - done, rate * 0.5);
            done = rate * watch.Elapsed.TotalSeconds;
            var packets = withProgram ? (int)(due * ShareOfProgram) : 0;
            done -= due - (int)due;
            table.Receive(packets);
            Interlocked.Add(ref _byProgram, packets);
            Calls((int)due - packets);
            cancellation.WaitHandle.WaitOne(Tick);
        }
    }

    private void Calls(int due)
    {
        for (; due >= BatchSize; due -= BatchSize)
            Batch();
        for (; due > 0; due--)
            Single();
    }

    private void Single()
    {
        var client = _random.Next(Clients);
        var key = Flow.Key(ByCall + (uint)client, (ushort)(1024 + client), Server);
        if (_known[client] && _random.Next(4) == 0)
        {
            table.Map.Delete(key);
            _known[client] = false;
        }
        else
        {
            table.Map.Update(key, Flow.Value(++_packets));
            _known[client] = true;
        }
        Interlocked.Increment(ref _byCall);
    }

    // Made in one call, deleted in the next.
    private void Batch()
    {
        for (var i = 0; i < BatchSize; i++)
        {
            Flow.Key(ByBatch + (_batch * BatchSize + (uint)i) % Clients, 2048, Server).CopyTo(_keys, i * Flow.KeySize);
            Flow.Value(++_packets).CopyTo(_values, i * Flow.ValueSize);
        }
        if (_batchIsThere)
        {
            table.Map.DeleteBatch(_keys, BatchSize);
            _batch++;
        }
        else
        {
            table.Map.UpdateBatch(_keys, _values, BatchSize);
        }
        _batchIsThere = !_batchIsThere;
        Interlocked.Add(ref _byBatch, BatchSize);
    }

    private async Task BpftoolAsync(CancellationToken cancellation)
    {
        var turn = 0;
        while (!cancellation.IsCancellationRequested)
        {
            // Three updates of a connection, then it is deleted.
            await BpftoolAsync(turn % 4 < 3, (uint)turn / 4);
            turn++;
            await Task.Delay(BpftoolPause, cancellation).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task BpftoolAsync(bool update, uint connection)
    {
        var key = Hex(Flow.Key(ByBpftool + connection, 4096, Server));
        string[] change = update
            ? ["map", "update", "pinned", table.Pin, "key", "hex", .. key, "value", "hex", .. Hex(Flow.Value(connection))]
            : ["map", "delete", "pinned", table.Pin, "key", "hex", .. key];
        // Never cut short: whether it changed the map would not be known.
        await Commands.RunAsync("bpftool", change, CancellationToken.None);
        Interlocked.Increment(ref _byBpftool);
    }

    private static IEnumerable<string> Hex(byte[] bytes) => bytes.Select(b => b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
}
