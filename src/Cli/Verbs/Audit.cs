using System.CommandLine;
using Maplog.Cli.Output;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog audit</c>: what makes the log easy to question in SQL.</summary>
internal static class Audit
{
    public static Command Command(Terminal terminal) =>
        new ExampleCommand("audit", "What makes the log easy to question in SQL: typed views, and the index of keys.", "maplog audit view lb-1/ct_map", "maplog audit index --follow", "maplog audit lag")
        {
            AuditView.Command(terminal),
            AuditIndex.Command(terminal),
            AuditLag.Command(terminal),
        };
}
