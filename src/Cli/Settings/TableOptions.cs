using System.CommandLine;

namespace Maplog.Cli.Settings;

/// <summary>The option of every verb that prints a table.</summary>
internal static class TableOptions
{
    public static Option<bool> Csv { get; } = new("--csv") { Description = "Print CSV for spreadsheets instead of a table." };
}
