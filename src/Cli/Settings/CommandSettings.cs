using System.CommandLine;
using Maplog.Bus;
using Maplog.Configuration;
using Maplog.Log;
using Microsoft.Extensions.Configuration;

namespace Maplog.Cli.Settings;

/// <summary>
/// The daemons' settings for a command: appsettings.json of the working folder, then environment, then options; the later one wins.
/// </summary>
internal sealed class CommandSettings
{
    private readonly IConfiguration _configuration;

    private CommandSettings(IConfiguration configuration) => _configuration = configuration;

    /// <exception cref="UsageException">A settings file cannot be read.</exception>
    public static CommandSettings Read(ParseResult arguments)
    {
        try
        {
            var builder = new ConfigurationBuilder()
                .SetBasePath(Directory.GetCurrentDirectory())
                .AddJsonFile("appsettings.json", optional: true);
            foreach (var file in arguments.GetValue(CommonOptions.Config) ?? [])
                builder.AddJsonFile(Path.GetFullPath(file), optional: false);
            return new CommandSettings(builder.AddEnvironmentVariables().AddInMemoryCollection(Options(arguments)).Build());
        }
        catch (Exception e) when (SettingsFile.Explains(e))
        {
            throw new UsageException(SettingsFile.Explain(e));
        }
    }

    /// <summary>Folder of bpffs with a folder of pins for each source of this node, from capture's settings.</summary>
    public string PinRoot => _configuration["Maplog:Capture:PinRoot"] ?? "/sys/fs/bpf/maplog";

    /// <summary>The source in capture's settings on this node; null if none.</summary>
    public string? Source => _configuration["Maplog:Capture:Source"] is { Length: > 0 } source ? source : null;

    /// <summary>The name of this host in its daemons' settings.</summary>
    /// <exception cref="UsageException">With every mistake.</exception>
    public NodeOptions Node()
    {
        var settings = new Configuration.Settings(_configuration);
        var options = settings.Read<NodeOptions>(Sections.Node);
        return settings.Mistakes.Count == 0 ? options : throw new UsageException(settings.Mistakes);
    }

    /// <exception cref="UsageException">With every mistake.</exception>
    public LogOptions Log() => Checked<LogOptions>(
        Sections.Log, nameof(LogOptions.ConnectionString),
        "give the Postgres of the log with --log \"Host=localhost;Database=maplog;Username=maplog\", or as Maplog__Log__ConnectionString in the environment, or in appsettings.json.");

    /// <exception cref="UsageException">With every mistake.</exception>
    public BusOptions Bus() => Checked<BusOptions>(
        Sections.Bus, nameof(BusOptions.Uri),
        "give the address of RabbitMQ with --bus amqp://maplog:secret@localhost:5672/, or as Maplog__Bus__Uri in the environment, or in appsettings.json.");

    // The message about a missing setting names all places where it can be set.
    private T Checked<T>(string section, string needed, string whereToGiveIt) where T : class, new()
    {
        var settings = new Configuration.Settings(_configuration);
        var options = settings.Read<T>(section);
        var name = $"{section}:{needed}";
        var mistakes = string.IsNullOrEmpty(_configuration[name])
            ? settings.Mistakes.Where(m => !m.StartsWith(name, StringComparison.Ordinal)).Prepend($"{name}: {whereToGiveIt}").ToList()
            : settings.Mistakes;
        return mistakes.Count == 0 ? options : throw new UsageException(mistakes);
    }

    private static Dictionary<string, string?> Options(ParseResult arguments)
    {
        var settings = new Dictionary<string, string?>();
        Add($"{Sections.Log}:{nameof(LogOptions.ConnectionString)}", arguments.GetValue(CommonOptions.Log));
        Add($"{Sections.Log}:{nameof(LogOptions.Schema)}", arguments.GetValue(CommonOptions.Schema));
        Add($"{Sections.Bus}:{nameof(BusOptions.Uri)}", arguments.GetValue(CommonOptions.Bus));
        return settings;

        void Add(string setting, string? value)
        {
            if (value is not null)
                settings[setting] = value;
        }
    }
}
