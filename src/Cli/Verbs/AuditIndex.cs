using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog audit index</c></summary>
internal static class AuditIndex
{
    /// <summary>Events of a step: a transaction of about a second, and the work that a Ctrl-C loses.</summary>
    private const int Step = 100_000;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Optional();
        var follow = new Option<bool>("--follow") { Description = "Continue while the log grows, until Ctrl-C." };
        var command = new ExampleCommand(
            "index", "Fill the index of keys up to the head. Appends do not fill the index, so no append waits for it; the capturing daemon fills it behind the head, unless its IndexRate is 0. Needs the role maplog_writer or maplog_admin.",
            "maplog audit index", "maplog audit index lb-1/ct_map --follow") { stream, follow };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetValue(stream), call.Arguments.GetValue(follow)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string? name, bool follows)
    {
        await using var log = call.OpenLog();
        var audit = new AuditReader(log);
        if (name is not null)
            name = (await call.FindStreamAsync(log, name)).Stream.ToString();
        long total = 0;
        try
        {
            do
            {
                foreach (var lag in await audit.ReadLagAsync(call.Cancellation))
                {
                    if (name is not null && lag.Stream.ToString() != name)
                        continue;
                    for (long indexed; (indexed = await audit.IndexKeysAsync(lag.Stream, Step, call.Cancellation)) > 0;)
                        total += indexed;
                }
                if (follows)
                    await Task.Delay(Pause, call.Cancellation);
            }
            while (follows);
        }
        catch (OperationCanceledException) when (follows && call.Cancellation.IsCancellationRequested)
        {
            // Ctrl-C is the normal end of following.
        }
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartObject();
                json.WriteNumber("indexed", total);
                json.WriteEndObject();
            });
        }
        else
        {
            call.Terminal.Out.WriteLine($"{Count.Of(total, "event")} indexed{(name is null ? "" : $" of {name}")}.");
        }
        return ExitCode.Ok;
    }
}
