using System.CommandLine;

namespace Maplog.Cli.Settings;

/// <summary>The argument STREAM of a verb.</summary>
internal static class StreamArgument
{
    public static Argument<string> Make(string description = "SOURCE/MAP, for example lb-1/ct_map.") => new("STREAM") { Description = description };
}
