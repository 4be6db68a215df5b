using System.Runtime.InteropServices;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Benchmarks.Pipelines;

/// <summary>Looks at replicas' cursors in the kernel over and over, and notes when each had moved on: what it is past is in the map.</summary>
internal sealed partial class CursorWatch : IDisposable
{
    private const int LookEvery = 500_000; // ns

    private readonly BpfMap[] _cursors;
    private readonly List<(long At, long Version)>[] _moves;
    private readonly Thread _looking;
    private volatile bool _isOver;

    /// <param name="pins">The replicas'.</param>
    public CursorWatch(params IEnumerable<string> pins)
    {
        _cursors = [.. pins.Select(pin => BpfMap.OpenPinned(ReplicaMap.CursorPin(pin), MapAccess.Read))];
        _moves = [.. _cursors.Select(_ => new List<(long, long)>())];
        _looking = new Thread(Look);
        _looking.Start();
    }

    /// <summary>The version that the replica of this pin has; 0: there is none yet.</summary>
    public static long VersionOf(string pin)
    {
        if (!File.Exists(ReplicaMap.CursorPin(pin)))
            return 0;
        using var cursor = BpfMap.OpenPinned(ReplicaMap.CursorPin(pin), MapAccess.Read);
        return VersionIn(cursor);
    }

    /// <summary>Ends it.</summary>
    /// <returns>For each replica, when (ns since boot) its cursor was first seen at which version, in order.</returns>
    public IReadOnlyList<IReadOnlyList<(long At, long Version)>> End()
    {
        _isOver = true;
        _looking.Join();
        return _moves;
    }

    public void Dispose()
    {
        End();
        foreach (var cursor in _cursors)
            cursor.Dispose();
    }

    private static long VersionIn(BpfMap cursor)
    {
        Span<byte> record = stackalloc byte[CursorRecord.Size];
        Span<byte> key = stackalloc byte[sizeof(int)];
        key.Clear();
        return cursor.Lookup(key, record) ? CursorRecord.Read(record)?.Cursor.Version.Value ?? 0 : 0;
    }

    private void Look()
    {
        var pause = new TimeSpec(0, LookEvery);
        var last = new long[_cursors.Length];
        for (; !_isOver; _ = NanoSleep(pause, 0))
        {
            for (var i = 0; i < _cursors.Length; i++)
            {
                var version = VersionIn(_cursors[i]);
                if (version == last[i])
                    continue;
                // Taken after the look: what was seen had happened by now.
                _moves[i].Add((Boot.Now(), version));
                last[i] = version;
            }
        }
    }

    // .NET sleeps for whole milliseconds, and for less than one not at all: it would take a processor from what is measured.
    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec time, nint left);

    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
