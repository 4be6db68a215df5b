using System.CommandLine;
using System.Diagnostics;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Configuration;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog promote SOURCE</c></summary>
internal static class Promote
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>A replica catches up on this many versions in a moment: until then the writer is not asked to stop.</summary>
    private const long Near = 10_000;

    public static Command Command(Terminal terminal)
    {
        var source = SourceArgument.Make();
        var node = new Option<string?>("--node") { Description = "The node that will write it [Maplog:Node:Name; default: this host].", HelpName = "NAME" };
        node.CompletionSources.Add(LogCompletion.Nodes);
        var within = DurationOption.Make("--within", TimeSpan.FromSeconds(1), "SECONDS", "Give up after this time, and leave everything as it was; also as 30s or 5m [default: 60].", TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        var force = new Option<bool>("--force") { Description = "Do not wait: the log refuses the next commit of the present writer, and changes that it has not logged are lost." };
        var command = new ExampleCommand(
            "promote", "Make a node the writer of a source: its standby capture (--standby true) takes over after the present writer has logged everything that it recorded and the node's replicas have it. Exit code 0 when the node writes.",
            "maplog promote lb-1", "maplog promote lb-1 --node lb-b --within 10", "maplog promote lb-1 --force    # the present writer's node is lost") { source, node, within, force };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetRequiredValue(source), call.Arguments.GetValue(node) ?? CommandSettings.Read(call.Arguments).Node().Name,
            call.Arguments.GetValue(within) ?? TimeSpan.FromSeconds(60), call.Arguments.GetValue(force)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string source, string node, TimeSpan within, bool force)
    {
        if (!StreamName.IsSource(source))
            throw new UsageException($"'{Secrets.Hide(source)}' is not a source name: use 1 to {StreamName.MaxSourceLength} of a-z, 0-9, '-' and '_', beginning with a letter or digit.");
        await using var log = call.OpenLog();
        if (!await new LogSchema(log).HasSourceAsync(source, call.Cancellation))
            throw new LogException($"The log does not know source '{source}': `maplog source list` shows its sources.");
        var lease = new WriterLease(log, source);
        var before = await lease.ReadAsync(call.Cancellation);
        if (before is not null && before.Node == node && before.IsHeld)
            return Say(call, before, "writes it already");
        if (force || before is null || before.Node == node)
            await lease.AssignAsync(node, call.Cancellation);
        else
            await AskAsync(call, lease, before, node, within);
        return await AwaitAsync(call, log, lease, before, node, within);
    }

    // If a writer gave way before the next one is ready, there would be a needless outage.
    private static async Task AskAsync(Call call, WriterLease lease, WriterRow before, string node, TimeSpan within)
    {
        string? said = null;
        for (var began = Stopwatch.GetTimestamp(); ; await Task.Delay(Pause, call.Cancellation))
        {
            var standby = await lease.ReadStandbyAsync(node, call.Cancellation);
            if (standby is not { IsThere: true })
                throw new LogException($"Node {node} has no capture that stands by for source {before.Source}: start `maplog-capture --source {before.Source} --standby true …` there, or promote with --force if you will start it later.");
            var problem = standby.Problem ?? (standby.Behind > Near ? $"The replicas on {node} are {Count.Of(standby.Behind ?? 0, "version")} behind." : null);
            if (problem is null)
                break;
            if (Stopwatch.GetElapsedTime(began) > within)
                throw new LogException($"Node {node} was not promoted; {before.Node} writes source {before.Source} as before. {problem}");
            if (said != problem)
                call.Terminal.Complain($"{said = problem} Waiting for the replicas.");
        }
        if (!await lease.RequestAsync(node, call.Cancellation))
            throw new LogException($"Source {before.Source} is already moving to another node: see the result with `maplog status`.");
    }

    private static async Task<int> AwaitAsync(Call call, LogStore log, WriterLease lease, WriterRow? before, string node, TimeSpan within)
    {
        try
        {
            for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < within; await Task.Delay(Pause, call.Cancellation))
            {
                var row = await lease.ReadAsync(call.Cancellation);
                if (row is { IsHeld: true } && row.Node == node && await HasBegunAsync(log, row, call.Cancellation))
                    return Say(call, row, "writes it");
            }
        }
        catch (OperationCanceledException)
        {
            await lease.WithdrawAsync(node, CancellationToken.None);
            throw;
        }
        await lease.WithdrawAsync(node, call.Cancellation);
        var end = await lease.ReadAsync(call.Cancellation);
        var standby = await lease.ReadStandbyAsync(node, call.Cancellation);
        var why = standby is { IsThere: true }
            ? standby.Problem ?? (standby.Behind > 0 ? $"Its replicas are {Count.Of(standby.Behind ?? 0, "version")} behind." : end is { IsHeld: true } ? $"Node {end.Node} has not given way." : "Its capture has not answered.")
            : $"It has no capture: start `maplog-capture --standby true` there.";
        if (end is { IsHeld: false } && end.Node != node)
            why = $"{why} No node writes the source at this moment: the capture on {end.Node} takes it again if that capture runs; see `maplog status`.";
        throw new LogException(end?.Node == node
            ? $"Source {end.Source} belongs to node {node} now, but no capture writes it yet. {why}"
            : $"Node {node} was not promoted within {within.TotalSeconds:0} s; the source stays with {end?.Node ?? before?.Node}. {why}");
    }

    // The hook records, and the old writer is shut out, only when the term is in the log.
    private static async Task<bool> HasBegunAsync(LogStore log, WriterRow row, CancellationToken cancellation)
    {
        var reader = new LogReader(log);
        return await reader.ReadLatestEpochAsync(row.Source, cancellation) >= row.Epoch || (await reader.ReadHeadsAsync(row.Source, cancellation)).Count == 0;
    }

    private static int Say(Call call, WriterRow row, string what)
    {
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartObject();
                json.WriteString("source", row.Source);
                json.WriteString("node", row.Node);
                json.WriteNumber("epoch", row.Epoch.Value);
                json.WriteString("since", Times.Of(row.Since));
                json.WriteEndObject();
            });
            return ExitCode.Ok;
        }
        call.Terminal.Out.WriteLine($"Source {row.Source}: node {row.Node} {what}, in epoch {row.Epoch} since {Times.Of(row.Since)}.");
        return ExitCode.Ok;
    }
}
