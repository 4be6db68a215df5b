using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.HotStandby;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog standby set GROUP</c></summary>
internal static class StandbySet
{
    public static Command Command(Terminal terminal)
    {
        var policy = new Option<string?>("--policy") { Description = "ranked, weighted or sticky." };
        policy.AcceptOnlyFromAmong("ranked", "weighted", "sticky");
        var failback = new Option<string?>("--failback") { Description = "at-once or held." };
        failback.AcceptOnlyFromAmong("at-once", "held");
        var timeout = DurationOption.Make(
            "--timeout", TimeSpan.FromMilliseconds(1), "MILLISECONDS", "Age at which a heartbeat is stale, for members without their own timeout; also as 500ms or 2s.", TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        var refuse = new Option<string?>("--refuse") { Description = "yes: refuse a connection when no member is well; no: the least bad member gets it." };
        refuse.AcceptOnlyFromAmong("yes", "no");
        var command = new ExampleCommand(
            "set", "Change how a group chooses.", "maplog standby set web --policy weighted", "maplog standby set web --failback held --timeout 500") { Standby.Group, policy, failback, timeout, refuse };
        Call.Set(command, terminal, call => Task.FromResult(Run(
            call, call.Arguments.GetValue(policy), call.Arguments.GetValue(failback), call.Arguments.GetValue(timeout), call.Arguments.GetValue(refuse))));
        return command;
    }

    private static int Run(Call call, string? policy, string? failback, TimeSpan? timeout, string? refuse)
    {
        using var group = Standby.Open(call, call.Arguments.GetRequiredValue(Standby.Group));
        group.Order(
            policy is null ? null : Enum.Parse<StandbyPolicy>(policy, ignoreCase: true),
            failback is null ? null : failback == "held" ? Failback.Held : Failback.AtOnce,
            timeout,
            refuse is null ? null : refuse == "yes");
        if (call.WantsJson)
            call.Terminal.Json(json => StandbyFormat.Write(json, group));
        else
            call.Terminal.Out.WriteLine($"Group {group.Name}: {StandbyFormat.Policy(group.Policy)}, failback {StandbyFormat.Failback(group.Failback)}, timeout {group.Timeout.TotalMilliseconds:0} ms, {(group.Refuses ? "refuses" : "takes the least bad member")} when no member is well.");
        return ExitCode.Ok;
    }
}
