using System.CommandLine;
using Maplog.Cli.Output;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog source</c>: the names under which nodes publish.</summary>
internal static class Source
{
    public static Command Command(Terminal terminal) =>
        new ExampleCommand("source", "List or add sources, the names under which nodes publish.", "maplog source add lb-1", "maplog source list")
        {
            SourceAdd.Command(terminal),
            SourceList.Command(terminal),
        };
}
