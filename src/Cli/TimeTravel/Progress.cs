using System.Diagnostics;
using Maplog.Cli.Output;

namespace Maplog.Cli.TimeTravel;

/// <summary>A line on the terminal with the progress of long work; nothing in a pipe, nothing for short work.</summary>
internal sealed class Progress(Terminal terminal, string doing, long total) : IDisposable
{
    private const int Width = 30;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private readonly long _began = Stopwatch.GetTimestamp();
    private long _shownAt = Stopwatch.GetTimestamp();
    private long _done;
    private bool _isShown;

    public void Step(long count)
    {
        _done += count;
        if (!terminal.IsForPeople || Stopwatch.GetElapsedTime(_began) < Quiet || Stopwatch.GetElapsedTime(_shownAt) < Every)
            return;
        _shownAt = Stopwatch.GetTimestamp();
        _isShown = true;
        var part = total > 0 ? Math.Min(1.0, (double)_done / total) : 1;
        terminal.Announce($"{doing} [{new string('#', (int)(part * Width)).PadRight(Width, '.')}] {part * 100:0}%");
    }

    public void Dispose()
    {
        if (_isShown)
            terminal.Announce("");
    }
}
