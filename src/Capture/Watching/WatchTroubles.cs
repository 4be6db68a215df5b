using Maplog.Events;

namespace Maplog.Capture.Watching;

/// <summary>What the watch set means and the log does not have, as sentences for whoever asks whether the capture is ready.</summary>
/// <param name="Waiting">Live maps that wait for the ends of others.</param>
/// <param name="Pins">Pins that lead to no map, or to a map that is not the one that is logged.</param>
internal sealed record WatchTroubles(IReadOnlyList<string> Waiting, IReadOnlyList<string> Pins)
{
    private const int MaxIds = 5;

    public static WatchTroubles None { get; } = new([], []);

    /// <summary>Maps that mean the same stream as one that lives.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="mapId">The map that is logged.</param>
    /// <param name="waiting">The others.</param>
    public static string WaitingFor(StreamName stream, uint mapId, IReadOnlyList<uint> waiting)
    {
        var ids = string.Join(", ", waiting.Take(MaxIds)) + (waiting.Count > MaxIds ? $" and {waiting.Count - MaxIds} more" : "");
        return waiting.Count == 1
            ? $"{stream}: map {ids} is watched for this stream too, and its changes are not logged while map {mapId} lives. {WhatToDo}"
            : $"{stream}: {waiting.Count} more maps are watched for this stream (ids {ids}), and their changes are not logged while map {mapId} lives. {WhatToDo}";
    }

    public static string LostPin(StreamName stream, uint mapId, string pin) =>
        $"{stream}: {pin} leads to no map. Map {mapId}, which was pinned there, is logged while it lives. Pin the map again, or restart the capture without this pin in its watch set.";

    public static string Unreadable(string pin, string why) => $"{pin} is watched, but not logged: {why}";

    /// <summary>A pin that leads to a map with which its stream cannot go on.</summary>
    public static string NotFollowed(StreamName stream, uint mapId, PinnedMap pin, string why) =>
        $"{stream}: {pin.Path} leads to map {pin.MapId}, which cannot be logged there: {why} Map {mapId} is still logged.";

    public static string OtherStream(PinnedMap pin, string wanted, StreamName logged) =>
        $"{pin.Path} is watched for stream {wanted}, but its map {pin.MapId} is logged as {logged}: a map can have only one stream. Remove one of the two from the watch set.";

    private const string WhatToDo = "Give each map a stream: watch it by its pin (pin:FOLDER/* takes all pins of a folder), or as NAME=STREAM. If this is intended, set --waiting-is-ready true.";
}
