using System.CommandLine;

namespace Maplog.Cli.Settings;

/// <summary>Options that every verb takes.</summary>
internal static class CommonOptions
{
    public static Option<string?> Log { get; } = new("--log") { Description = "Postgres of the log, as an Npgsql connection string [Maplog:Log:ConnectionString].", HelpName = "CONNECTION", Recursive = true };

    public static Option<string?> Schema { get; } = new("--schema") { Description = "Schema of the log [Maplog:Log:Schema; default maplog].", HelpName = "NAME", Recursive = true };

    public static Option<string?> Bus { get; } = new("--bus") { Description = "RabbitMQ, as an amqp:// URI [Maplog:Bus:Uri].", HelpName = "URI", Recursive = true };

    public static Option<string[]> Config { get; } = new("--config") { Description = "Read settings from this JSON file too.", HelpName = "FILE", Recursive = true };

    public static Option<bool> Json { get; } = new("--json") { Description = "Print JSON for programs instead of text for people.", Recursive = true };

    public static Option<bool> Verbose { get; } = new("--verbose") { Description = "Print more: the stack trace of a failure, the messages of libbpf.", Recursive = true };

    public static IReadOnlyList<Option> All { get; } = [Log, Schema, Bus, Config, Json, Verbose];
}
