using System.CommandLine;
using Maplog.Configuration;
using Maplog.Log;
using Microsoft.Extensions.Configuration;

namespace Maplog.Cli.Settings;

/// <summary>The daemons' settings for a command: appsettings.json of the working folder, then environment, then options; the later wins.</summary>
internal sealed class CommandSettings
{
    private readonly Configuration.Settings _settings;
    private readonly IConfiguration _configuration;

    private CommandSettings(IConfiguration configuration)
    {
        _configuration = configuration;
        _settings = new Configuration.Settings(configuration);
    }

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
        catch (Exception e) when (e is IOException or InvalidDataException or FormatException or UnauthorizedAccessException)
        {
            throw new UsageException($"The settings cannot be read: {e.Message} {e.InnerException?.Message}".TrimEnd());
        }
    }

    /// <summary>Folder of bpffs with a folder of pins for each source of this node, as capture has it.</summary>
    public string PinRoot => _configuration["Maplog:Capture:PinRoot"] ?? "/sys/fs/bpf/maplog";

    /// <exception cref="UsageException">With every mistake.</exception>
    public LogOptions Log()
    {
        if (string.IsNullOrEmpty(_configuration[$"{Sections.Log}:{nameof(LogOptions.ConnectionString)}"]))
        {
            throw new UsageException(
                $"{Sections.Log}:{nameof(LogOptions.ConnectionString)}: give the Postgres of the log with --log \"Host=localhost;Database=maplog;Username=maplog\", or as Maplog__Log__ConnectionString in the environment, or in appsettings.json.");
        }
        return Checked<LogOptions>(Sections.Log);
    }

    private T Checked<T>(string section) where T : class, new()
    {
        var options = _settings.Read<T>(section);
        return _settings.Mistakes.Count == 0 ? options : throw new UsageException(_settings.Mistakes);
    }

    private static Dictionary<string, string?> Options(ParseResult arguments)
    {
        var settings = new Dictionary<string, string?>();
        Add($"{Sections.Log}:{nameof(LogOptions.ConnectionString)}", arguments.GetValue(CommonOptions.Log));
        Add($"{Sections.Log}:{nameof(LogOptions.Schema)}", arguments.GetValue(CommonOptions.Schema));
        Add($"{Sections.Bus}:Uri", arguments.GetValue(CommonOptions.Bus));
        return settings;

        void Add(string setting, string? value)
        {
            if (value is not null)
                settings[setting] = value;
        }
    }
}
