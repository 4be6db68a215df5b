using System.Text;

namespace Maplog.Hooking;

/// <summary>
/// A watched map name, or a prefix with a final '*', in the form of the hook's trie of names: 16 bytes, and the number of bits that count.
/// </summary>
public sealed class NamePattern
{
    /// <summary>Characters of a map name that the kernel keeps.</summary>
    public const int MaxName = 15;

    /// <summary>Bytes of struct maplog_name.</summary>
    public const int Size = sizeof(uint) + KernelName;

    /// <summary>Names and prefixes for which the hook has room (MAPLOG_NAMES).</summary>
    public const int Max = 4096;

    private const int KernelName = 16;

    private readonly string _text;
    private readonly bool _prefix;

    private NamePattern(string text, bool prefix) => (_text, _prefix) = (text, prefix);

    /// <exception cref="FormatException">Not a name the kernel could give a map.</exception>
    public static NamePattern Parse(string pattern)
    {
        var prefix = pattern.EndsWith('*');
        var text = prefix ? pattern[..^1] : pattern;
        if (text.Length is 0 or > MaxName || !text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.'))
            throw new FormatException($"'{pattern}' is not a map name: map names of the kernel have 1 to {MaxName} of A-Z, a-z, 0-9, '_' and '.'; a final '*' makes it a prefix.");
        return new NamePattern(text, prefix);
    }

    public bool Matches(string name) => _prefix ? name.StartsWith(_text, StringComparison.Ordinal) : name == _text;

    /// <summary>struct maplog_name: the number of bits that count, then the name's 16 bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        BitConverter.TryWriteBytes(bytes, 8 * (_prefix ? _text.Length : KernelName));
        Encoding.ASCII.GetBytes(_text, bytes.AsSpan(sizeof(uint)));
        return bytes;
    }

    public override string ToString() => _prefix ? _text + "*" : _text;
}
