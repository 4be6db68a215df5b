namespace Maplog.Capture.Watching;

/// <summary>Bytes in which the records of all maps that wait are kept together.</summary>
internal sealed class WaitingRoom(long bytes)
{
    private long _left = bytes;

    public bool TryTake(int count)
    {
        if (count > _left)
            return false;
        _left -= count;
        return true;
    }

    public void Give(int count) => _left += count;
}
