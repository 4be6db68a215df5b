using Maplog.Events;
using Maplog.Hooking;

namespace Maplog.Capture.Watching;

/// <summary>One entry of the watch set: which maps it means and what their streams are called.</summary>
public sealed class WatchedTarget
{
    private const string PinPrefix = "pin:", IdPrefix = "id:", Star = "*";

    private readonly string? _stream;
    private readonly PinGlob? _glob;

    private WatchedTarget(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var what = equals < 0 ? text : text[..equals];
        _stream = equals < 0 ? null : text[(equals + 1)..];
        Text = what;
        if (_stream is not null && !StreamName.IsMap(_stream.Replace(Star, "x", StringComparison.Ordinal)))
            throw new FormatException($"'{_stream}' in '{text}' is not a stream name: use 1 to 64 of A-Z, a-z, 0-9, '_', '.' and '-'.");
        if (what.StartsWith(PinPrefix, StringComparison.Ordinal))
            Pin = Path.IsPathRooted(what[PinPrefix.Length..]) ? what[PinPrefix.Length..] : throw new FormatException($"'{text}': give the pin's whole path, pin:/sys/fs/bpf/….");
        else if (what.StartsWith(IdPrefix, StringComparison.Ordinal))
            Id = uint.TryParse(what[IdPrefix.Length..], out var id) && id > 0 ? id : throw new FormatException($"'{text}': give the map's id as a number, as 'bpftool map' lists it.");
        else
            Name = NamePattern.Parse(what);
        if (Pin is not null && PinGlob.Is(Pin))
            _glob = new PinGlob(Pin);
        if (_stream is null || (_glob is null ? !IsPrefix && !_stream.Contains('*') : _stream.Count(c => c == '*') == 1))
            return;
        throw new FormatException(_glob is not null
            ? $"'{text}': these are several maps, and each needs its own stream. Write one * into the stream's name, for the pin's: {what}=lb-*."
            : IsPrefix
            ? $"'{text}': a prefix means several maps, which cannot share one stream name."
            : $"'{text}': a stream's name can have a * only after several pins, pin:/sys/fs/bpf/FOLDER/*=lb-*.");
    }

    /// <summary>As it was written, without the stream's name.</summary>
    public string Text { get; }

    public NamePattern? Name { get; }

    /// <summary>Whether it may mean several maps: a prefix of names, or pins with wildcards.</summary>
    public bool IsPrefix => _glob is not null || Name is not null && Text.EndsWith('*');

    /// <summary>The pin's whole path, perhaps with wildcards.</summary>
    public string? Pin { get; }

    public uint? Id { get; }

    public static WatchedTarget Parse(string text) => new(text);

    /// <summary>The paths at which a pin would be meant; with wildcards, those that exist now.</summary>
    public IReadOnlyList<string> Pins() => _glob?.Paths() ?? (Pin is null ? [] : [Pin]);

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

    /// <summary>Whether it means the map by its name or its id; by pins only a look at them can tell: <see cref="PinView"/>.</summary>
    public bool Matches(uint mapId, string name) => Name?.Matches(name) ?? mapId == Id;

    /// <summary>The second half of the stream's name: as told, or the map's name, or the pin's.</summary>
    /// <param name="mapId">The map's id.</param>
    /// <param name="name">The map's name.</param>
    /// <param name="pin">The pin by which it is meant, or null.</param>
    public string StreamOf(uint mapId, string name, string? pin)
    {
        if (_glob is not null && pin is not null)
            return (_stream ?? Star).Replace(Star, _glob.TailOf(pin), StringComparison.Ordinal);
        if (_stream is not null)
            return _stream;
        if (name.Length > 0)
            return name;
        return pin is null ? $"id-{mapId}" : Path.GetFileName(pin);
    }

    /// <summary>The pin by which the map of this stream would be meant; null: it does not mean such a stream by a pin.</summary>
    public string? PinOf(string name, string stream)
    {
        if (_glob is null)
            return Pin is not null && StreamOf(0, name, Pin) == stream ? Pin : null;
        var (before, after) = (_stream ?? Star).Split(Star) is [var first, var second] ? (first, second) : ("", "");
        return stream.Length > before.Length + after.Length && stream.StartsWith(before, StringComparison.Ordinal) && stream.EndsWith(after, StringComparison.Ordinal)
            ? _glob.PathOf(stream[before.Length..^after.Length])
            : null;
    }

    public override string ToString() => Text;
}
