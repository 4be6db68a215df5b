using Maplog.Events;
using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Capture.Watching;

/// <summary>One entry of the watch set: which maps it means and what their streams are called.</summary>
public sealed class WatchedTarget
{
    private const string PinPrefix = "pin:", IdPrefix = "id:";

    private readonly string? _stream;

    private WatchedTarget(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var what = equals < 0 ? text : text[..equals];
        _stream = equals < 0 ? null : text[(equals + 1)..];
        Text = what;
        if (_stream is not null && !StreamName.IsMap(_stream))
            throw new FormatException($"'{_stream}' in '{text}' is not a stream name: use 1 to 64 of A-Z, a-z, 0-9, '_', '.' and '-'.");
        if (what.StartsWith(PinPrefix, StringComparison.Ordinal))
            Pin = Path.IsPathRooted(what[PinPrefix.Length..]) ? what[PinPrefix.Length..] : throw new FormatException($"'{text}': give the pin's whole path, pin:/sys/fs/bpf/….");
        else if (what.StartsWith(IdPrefix, StringComparison.Ordinal))
            Id = uint.TryParse(what[IdPrefix.Length..], out var id) && id > 0 ? id : throw new FormatException($"'{text}': give the map's id as a number, as 'bpftool map' lists it.");
        else
            Name = NamePattern.Parse(what);
        if (_stream is not null && Name is not null && what.EndsWith('*'))
            throw new FormatException($"'{text}': a prefix means several maps, which cannot share one stream name.");
    }

    /// <summary>As it was written, without the stream's name.</summary>
    public string Text { get; }

    public NamePattern? Name { get; }

    /// <summary>Whether it may mean several maps.</summary>
    public bool IsPrefix => Name is not null && Text.EndsWith('*');

    public string? Pin { get; }

    public uint? Id { get; }

    public static WatchedTarget Parse(string text) => new(text);

    /// <summary>The maps that targets mean by pin or by id, as it is now, by <see cref="Text"/>.</summary>
    /// <param name="targets">The targets.</param>
    /// <param name="refused">Takes each pin that exists and cannot be opened as a map, with the reason. The pin may be another one later.</param>
    public static Dictionary<string, uint> PinnedIds(IReadOnlyList<WatchedTarget> targets, Action<WatchedTarget, string>? refused = null)
    {
        var ids = new Dictionary<string, uint>();
        foreach (var target in targets)
        {
            if (target.Id is { } id)
                ids[target.Text] = id;
            if (target.Pin is null || !File.Exists(target.Pin))
                continue;
            try
            {
                using var pinned = BpfMap.OpenPinned(target.Pin, MapAccess.Read);
                ids[target.Text] = pinned.Info.Id;
            }
            catch (KernelException e)
            {
                // ENOENT: it is replaced at this moment.
                if (e.Errno != Errno.Enoent)
                    refused?.Invoke(target, e.Message);
            }
        }
        return ids;
    }

    /// <summary>What is wrong with the text, or null.</summary>
    public static string? Mistake(string text)
    {
        try
        {
            Parse(text);
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }

    /// <param name="map">A map.</param>
    /// <param name="pinned">The id behind <see cref="Pin"/> at this moment, if any.</param>
    public bool Matches(MapInfo map, uint? pinned) =>
        Name is not null ? Name.Matches(map.Name) : map.Id == (Id ?? pinned);

    /// <summary>The second half of the stream's name: as told, or the map's name, or the pin's.</summary>
    public string StreamOf(MapInfo map)
    {
        if (_stream is not null)
            return _stream;
        if (map.Name.Length > 0)
            return map.Name;
        return Pin is null ? $"id-{map.Id}" : Path.GetFileName(Pin);
    }

    public override string ToString() => Text;
}
