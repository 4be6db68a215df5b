using System.Globalization;

namespace Maplog.Configuration;

/// <summary>
/// A daemon's arguments as settings: its switches, and any setting by its full name (<c>--Maplog:Log:Schema=other</c>). A value follows
/// after a blank or '='.
/// </summary>
public sealed class CommandLine
{
    private readonly Dictionary<string, string?> _settings = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _mistakes = [];
    private readonly List<string> _files = [];

    private CommandLine()
    {
    }

    public IReadOnlyDictionary<string, string?> Settings => _settings;

    public IReadOnlyList<string> Mistakes => _mistakes;

    /// <summary>Settings files named with <c>--config</c>.</summary>
    public IReadOnlyList<string> Files => _files;

    public bool WantsHelp { get; private set; }

    public bool WantsVersion { get; private set; }

    public static CommandLine Parse(IReadOnlyList<string> arguments, IReadOnlyList<CommandSwitch> switches)
    {
        var line = new CommandLine();
        var seen = new Dictionary<string, int>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var equals = arguments[i].IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? arguments[i] : arguments[i][..equals];
            if (name is "--help" or "-h" or "-?")
            {
                line.WantsHelp = true;
                continue;
            }
            if (name is "--version")
            {
                line.WantsVersion = true;
                continue;
            }
            var known = switches.FirstOrDefault(s => s.Name == name);
            if (known is null && name != "--config" && !name.StartsWith("--Maplog:", StringComparison.OrdinalIgnoreCase))
            {
                line._mistakes.Add($"{Secrets.Hide(name)}: there is no such option; --help lists the options.");
                continue;
            }
            if (known is { Argument: "" } && equals < 0)
            {
                line.Take(known, name, "true", seen);
                continue;
            }
            if (equals < 0 && (i + 1 == arguments.Count || arguments[i + 1].StartsWith("--", StringComparison.Ordinal)))
            {
                line._mistakes.Add($"{name}: the value is missing.");
                continue;
            }
            line.Take(known, name, equals < 0 ? arguments[++i] : arguments[i][(equals + 1)..], seen);
        }
        return line;
    }

    private void Take(CommandSwitch? known, string name, string value, Dictionary<string, int> seen)
    {
        if (name == "--config")
        {
            _files.Add(Path.GetFullPath(value));
            return;
        }
        var count = seen.GetValueOrDefault(name);
        seen[name] = count + 1;
        var setting = known is null ? name[2..] : string.Format(CultureInfo.InvariantCulture, known.Setting, count);
        if (!_settings.TryAdd(setting, value))
            _mistakes.Add($"{name}: the option is given twice.");
    }
}
