using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Configuration;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog forget NODE</c></summary>
internal static class Forget
{
    public static Command Command(Terminal terminal)
    {
        var node = new Argument<string>("NODE") { Description = "The host, with its name from 'maplog status'.", HelpName = "NODE" };
        node.CompletionSources.Add(LogCompletion.Nodes);
        var command = new ExampleCommand(
            "forget", "Remove the replicas of a host from the list, if the host has gone and will not come back. Replicas that report stay, and nothing else changes.", "maplog forget lb-2") { node };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetRequiredValue(node)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string node)
    {
        await using var log = call.OpenLog();
        var forgotten = await new StatusReader(log).ForgetAsync(node, call.Cancellation);
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartObject();
                json.WriteString("node", node);
                json.WriteNumber("forgotten", forgotten);
                json.WriteEndObject();
            });
        }
        else
        {
            call.Terminal.Out.WriteLine(forgotten == 0
                ? $"No replica of {SafeText.Of(node)} is gone: nothing to forget."
                : $"{Count.Of(forgotten, "replica")} of {SafeText.Of(node)} forgotten.");
        }
        return ExitCode.Ok;
    }
}
