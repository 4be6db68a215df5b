using System.CommandLine;
using System.Text.Json;
using Maplog.Cli.Checks;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog doctor</c></summary>
internal static class Doctor
{
    private static readonly string[] Areas = ["kernel", "privileges", "probes", "log", "bus"];

    /// <summary>Columns before a check's finding, without its name.</summary>
    private const int MarkWidth = 10;

    /// <summary>The maximum width of readable text.</summary>
    private const int MinTextWidth = 30;

    public static Command Command(Terminal terminal)
    {
        var source = new Option<string?>("--source") { Description = "The source to be captured [Maplog:Capture:Source].", HelpName = "NAME" };
        source.CompletionSources.Add(LogCompletion.Sources);
        var only = new Option<string[]>("--only") { Description = $"Check only this area ({string.Join(", ", Areas)}). Repeatable.", HelpName = "AREA" };
        only.AcceptOnlyFromAmong(Areas);
        var command = new ExampleCommand(
            "doctor", "Check what this kernel and these servers allow, probe by probe and hook by hook, and what to do about each problem. Run it with the rights with which capture will run. Exit code 1 if something is missing that capture needs.",
            "sudo maplog doctor", "maplog doctor --only log --source lb-1", "maplog doctor --json | jq '.checks[] | select(.state != \"ok\")'") { source, only };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetValue(source), call.Arguments.GetValue(only) ?? []));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string? source, string[] only)
    {
        var checks = new List<Check>();
        foreach (var checkup in Checkups.All(CommandSettings.Read(call.Arguments), source))
            if (only.Length == 0 || only.Contains(checkup.Area))
                checks.AddRange(await checkup.RunAsync(call.Cancellation));
        if (call.WantsJson)
            call.Terminal.Json(json => Write(json, checks));
        else
            Write(call.Terminal, checks, call.WantsDetails);
        return IsWell(checks) ? ExitCode.Ok : ExitCode.Failed;
    }

    private static bool IsWell(List<Check> checks) => checks.All(c => c.State != CheckState.Failure);

    private static void Write(Terminal terminal, List<Check> checks, bool withDetails)
    {
        foreach (var area in checks.GroupBy(c => c.Area))
        {
            // With details, each check has its own line; without them, checks with the same result share one.
            var lines = withDetails ? [.. area] : area.GroupBy(c => (c.State, c.Finding, c.Advice)).Select(Together).ToList();
            var width = lines.Max(c => c.Name.Length);
            terminal.Out.WriteLine(area.Key);
            foreach (var check in lines)
            {
                terminal.Out.Write("  ");
                terminal.Paint(Colour(check.State), Word(check.State).PadRight(4));
                terminal.Out.Write($"  {check.Name.PadRight(width)}  ");
                WriteFolded(terminal, check.Finding, MarkWidth + width);
                foreach (var detail in withDetails ? check.Details : [])
                    terminal.Out.WriteLine($"{"".PadRight(MarkWidth + width)}   {detail}");
                if (check.Advice is { } advice)
                {
                    terminal.Out.Write($"{"".PadRight(MarkWidth + width)}-> ");
                    WriteFolded(terminal, advice, MarkWidth + width + 3);
                }
            }
        }
        var warnings = checks.Count(c => c.State == CheckState.Warning);
        var failures = checks.Count(c => c.State == CheckState.Failure);
        terminal.Out.WriteLine(failures == 0
            ? $"Everything that capture needs is here{(warnings > 0 ? $", with {Count.Of(warnings, "warning")}" : "")}."
            : $"{failures} {(failures == 1 ? "thing" : "things")} that capture needs {(failures == 1 ? "is" : "are")} missing.");
    }

    private static Check Together(IEnumerable<Check> alike)
    {
        var all = alike.ToList();
        return all.Count == 1 ? all[0] : all[0] with { Name = $"{all[0].Name} and {all.Count - 1} more" };
    }

    // On a terminal the text is folded between words, under the column in which it begins; in a pipe it is one line.
    private static void WriteFolded(Terminal terminal, string text, int column)
    {
        var width = terminal.IsForPeople ? Math.Max(terminal.Width - column, MinTextWidth) : int.MaxValue;
        terminal.Out.WriteLine(string.Join($"\n{"".PadRight(column)}", Cells.Fold(text, width)));
    }

    private static string Colour(CheckState state) => state switch
    {
        CheckState.Ok => Colours.Green,
        CheckState.Warning => Colours.Yellow,
        _ => Colours.Red,
    };

    private static string Word(CheckState state) => state switch
    {
        CheckState.Ok => "ok",
        CheckState.Warning => "warn",
        _ => "fail",
    };

    private static void Write(Utf8JsonWriter json, List<Check> checks)
    {
        json.WriteStartObject();
        json.WriteBoolean("ok", IsWell(checks));
        json.WriteStartArray("checks");
        foreach (var check in checks)
        {
            json.WriteStartObject();
            json.WriteString("area", check.Area);
            json.WriteString("name", check.Name);
            json.WriteString("state", Word(check.State));
            json.WriteString("finding", check.Finding);
            if (check.Advice is { } advice)
                json.WriteString("advice", advice);
            if (check.Details.Count > 0)
            {
                json.WriteStartArray("details");
                foreach (var detail in check.Details)
                    json.WriteStringValue(detail);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
