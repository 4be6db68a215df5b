using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Configuration;
using Maplog.HotStandby;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog standby watch GROUP</c></summary>
internal static class StandbyWatch
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public static Command Command(Terminal terminal)
    {
        var count = NumberOption.Make("--count", "N", "End after N lines.", 1);
        var command = new ExampleCommand(
            "watch", "Print a line when a member joins, leaves, or changes its state, rank or weight, until Ctrl-C. With --json one object per line.",
            "maplog standby watch web", "maplog standby watch web --json") { Standby.Group, count };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetValue(count) ?? long.MaxValue));
        return command;
    }

    private static async Task<int> RunAsync(Call call, long count)
    {
        var seen = new Dictionary<ulong, (string Line, MemberStatus Member)>();
        try
        {
            using var group = Standby.Open(call, call.Arguments.GetRequiredValue(Standby.Group));
            while (true)
            {
                // A member has joined when it listens.
                var members = group.Members().Where(m => m.Listens.Count > 0).ToList();
                foreach (var (incarnation, (_, gone)) in seen.Where(s => members.All(m => m.Incarnation != s.Key)).ToList())
                {
                    seen.Remove(incarnation);
                    Print(call, gone, "gone");
                    if (--count == 0)
                        return ExitCode.Ok;
                }
                foreach (var member in members)
                {
                    var line = $"{StandbyFormat.State(member)} {member.Rank} {member.Weight}";
                    if (seen.TryGetValue(member.Incarnation, out var before) && before.Line == line)
                        continue;
                    seen[member.Incarnation] = (line, member);
                    Print(call, member, StandbyFormat.State(member));
                    if (--count == 0)
                        return ExitCode.Ok;
                }
                call.Terminal.Flush();
                await Task.Delay(Pause, call.Cancellation);
            }
        }
        catch (OperationCanceledException) when (call.Cancellation.IsCancellationRequested)
        {
            return ExitCode.Ok; // Ctrl-C is how a watch ends.
        }
    }

    private static void Print(Call call, MemberStatus member, string state)
    {
        var at = Times.Of(TimeProvider.System.GetUtcNow());
        if (call.WantsJson)
        {
            using (var json = call.Terminal.Json(indented: false))
            {
                json.WriteStartObject();
                json.WriteString("at", at);
                json.WriteString("state", state);
                json.WritePropertyName("status");
                StandbyFormat.Write(json, member);
                json.WriteEndObject();
            }
            call.Terminal.EndLine();
        }
        else
        {
            call.Terminal.Out.WriteLine($"{at}  {SafeText.Of(member.Name)} (process {member.Pid}): {state}, rank {member.Rank}, weight {member.Weight}, chosen {member.Chosen}");
        }
    }
}
