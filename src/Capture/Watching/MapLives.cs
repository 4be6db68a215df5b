using Maplog.Capture.Pipeline;
using Maplog.Events;
using Maplog.Kernel;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Watching;

/// <summary>Tells of maps that come and go, at most <see cref="MaxLines"/> lines a minute: a program may make hundreds of maps a second.</summary>
internal sealed class MapLives(ILogger log)
{
    private const int MaxLines = 60;
    private const long Minute = 60_000_000_000;

    private long _began;
    private int _lines, _untold;

    public void Opened(CapturedMap map, bool isSame)
    {
        if (MayTell())
            log.MapOpened(map.Stream.Name.ToString(), map.Id, ((MapType)map.Shape.Type).ToString(), map.Shape.KeySize, map.Shape.ValueSize, isSame);
    }

    public void Closed(CapturedMap map)
    {
        if (MayTell())
            log.MapClosed(map.Stream.Name.ToString(), map.Id);
    }

    public void Waits(uint mapId, StreamName stream, uint older)
    {
        if (MayTell())
            log.SecondMap(mapId, stream.ToString(), older);
    }

    private bool MayTell()
    {
        var now = KernelClock.Now;
        if (now - _began > Minute)
        {
            if (_untold > 0)
                log.MapLinesLeftOut(_untold, MaxLines);
            (_began, _lines, _untold) = (now, 0, 0);
        }
        if (_lines++ < MaxLines)
            return true;
        _untold++;
        return false;
    }
}
