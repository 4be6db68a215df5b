using Maplog.Events;

namespace Maplog.Log;

/// <summary>Some consecutive events of a stream. The page and its events' data are used again for the next one: take what is needed before asking for it.</summary>
public sealed class EventPage
{
    private LoggedEvent[] _events = new LoggedEvent[1024];

    /// <summary>In order of version, without a hole; never empty.</summary>
    public ReadOnlyMemory<LoggedEvent> Events => _events.AsMemory(0, Count);

    public int Count { get; private set; }

    public StreamVersion First => _events[0].Version;

    public StreamVersion Last => _events[Count - 1].Version;

    public ReadOnlySpan<LoggedEvent>.Enumerator GetEnumerator() => Events.Span.GetEnumerator();

    internal void Clear() => Count = 0;

    internal void Add(in LoggedEvent logged)
    {
        if (Count == _events.Length)
            Array.Resize(ref _events, Count * 2);
        _events[Count++] = logged;
    }
}
