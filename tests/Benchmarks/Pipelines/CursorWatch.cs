using System.Runtime.InteropServices;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Benchmarks.Pipelines;

/// <summary>Looks at a replica's cursor in the kernel over and over, and notes when it had moved on: what it is past is in the map.</summary>
internal sealed partial class CursorWatch : IDisposable
{
    private const int LookEvery = 500_000; // ns

    private readonly BpfMap _cursor;
    private readonly Thread _looking;
    private readonly List<(long At, long Version)> _moves = [];
    private volatile bool _isOver;

    /// <param name="pin">The replica's.</param>
    public CursorWatch(string pin)
    {
        _cursor = BpfMap.OpenPinned(ReplicaMap.CursorPin(pin), MapAccess.Read);
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
    /// <returns>When (ns since boot) the cursor was first seen at which version, in order.</returns>
    public IReadOnlyList<(long At, long Version)> End()
    {
        _isOver = true;
        _looking.Join();
        return _moves;
    }

    public void Dispose()
    {
        End();
        _cursor.Dispose();
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
        for (long last = 0; !_isOver; _ = NanoSleep(pause, 0))
        {
            var version = VersionIn(_cursor);
            if (version == last)
                continue;
            // Taken after the look: what was seen had happened by now.
            _moves.Add((Boot.Now(), version));
            last = version;
        }
    }

    // .NET sleeps for whole milliseconds, and for less than one not at all: it would take a processor from what is measured.
    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec time, nint left);

    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
