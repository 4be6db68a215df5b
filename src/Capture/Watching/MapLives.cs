using Maplog.Capture.Pipeline;
using Maplog.Events;
using Maplog.Kernel;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Watching;

/// <summary>
/// Logs that maps come and go, at most <see cref="MaxLines"/> lines a minute for each stream: a program may make hundreds of maps a
/// second under one name. Maps of different streams never keep each other's lines out.
/// </summary>
internal sealed class MapLives(ILogger log)
{
    private const int MaxLines = 20;
    private const long Minute = 60_000_000_000;

    private readonly Dictionary<StreamName, int> _lines = [];
    private long _began;
    private int _untold;

    public void Opened(CapturedMap map, bool isSame)
    {
        if (MayTell(map.Stream.Name))
            log.MapOpened(map.Stream.Name.ToString(), map.Id, ((MapType)map.Shape.Type).ToString(), map.Shape.KeySize, map.Shape.ValueSize, isSame);
    }

    public void Closed(CapturedMap map)
    {
        if (MayTell(map.Stream.Name))
            log.MapClosed(map.Stream.Name.ToString(), map.Id);
    }

    public void Waits(uint mapId, StreamName stream, uint older)
    {
        if (MayTell(stream))
            log.SecondMap(mapId, stream.ToString(), older);
    }

    private bool MayTell(StreamName stream)
    {
        var now = KernelClock.Now;
        if (now - _began > Minute)
        {
            if (_untold > 0)
                log.MapLinesLeftOut(_untold, MaxLines);
            (_began, _untold) = (now, 0);
            _lines.Clear();
        }
        ref var lines = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_lines, stream, out _);
        if (lines++ < MaxLines)
            return true;
        _untold++;
        return false;
    }
}
