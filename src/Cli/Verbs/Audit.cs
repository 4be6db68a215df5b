using System.CommandLine;
using Maplog.Cli.Output;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog audit</c>: helps SQL queries on the log.</summary>
internal static class Audit
{
    public static Command Command(Terminal terminal) =>
        new ExampleCommand("audit", "Typed views and the index of keys, which help SQL queries on the log.", "maplog audit view lb-1/ct_map", "maplog audit index --follow", "maplog audit lag")
        {
            AuditView.Command(terminal),
            AuditIndex.Command(terminal),
            AuditLag.Command(terminal),
        };
}
