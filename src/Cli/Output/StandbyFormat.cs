using System.Text.Json;
using Maplog.HotStandby;

namespace Maplog.Cli.Output;

/// <summary>Groups and members of hot standby as text and as JSON.</summary>
internal static class StandbyFormat
{
    private static readonly StandbyFaults[] Faults = [StandbyFaults.Weightless, StandbyFaults.Ineligible, StandbyFaults.Unhealthy, StandbyFaults.Draining, StandbyFaults.Stale];

    private static readonly string[] Headings = ["Member", "Rank", "Weight", "State", "Beat", "Replicas", "Chosen", "Migrated", "Last resort", "Process", "Listens"];

    public static string Policy(StandbyPolicy policy) => policy.ToString().ToLowerInvariant();

    public static string Failback(Failback failback) => failback == HotStandby.Failback.Held ? "held" : "at-once";

    /// <summary>The faults of a member; for a well member, whether it serves.</summary>
    public static string State(MemberStatus member) => member switch
    {
        { Listens.Count: 0 } => "joining",
        { Faults: not StandbyFaults.None } => string.Join(", ", Names(member.Faults)),
        { IsIncumbent: true } => "serving",
        _ => "well",
    };

    public static TextTable Table(IReadOnlyList<MemberStatus> members)
    {
        var table = new TextTable(Headings);
        foreach (var member in members)
            table.Add([.. Row(member)]);
        return table;
    }

    /// <summary>The members of several groups, the group of each in front.</summary>
    public static TextTable TableOfGroups(IEnumerable<(string Group, MemberStatus Member)> members)
    {
        var table = new TextTable(["Group", .. Headings]);
        foreach (var (group, member) in members)
            table.Add([group, .. Row(member)]);
        return table;
    }

    private static IEnumerable<string> Row(MemberStatus m) =>
    [
        m.Name, $"{m.Rank}", $"{m.Weight}", State(m), m.BeatAge is { } age ? $"{age.TotalMilliseconds:0} of {m.Timeout.TotalMilliseconds:0} ms" : "-",
        m.ReplicaAge is { } replicas ? $"{replicas.TotalSeconds:0.0} s" : "-", $"{m.Chosen}", $"{m.Migrated}", $"{m.LastResort}", $"{m.Pid}", string.Join(", ", m.Listens),
    ];

    public static void Write(Utf8JsonWriter json, StandbyGroup group)
    {
        // Everything that may fail comes first: half an object would be useless.
        var (members, migrates, (unchosen, refused)) = (group.Members(), group.Migrates, group.Nobody());
        json.WriteStartObject();
        json.WriteString("group", group.Name);
        json.WriteString("policy", Policy(group.Policy));
        json.WriteString("failback", Failback(group.Failback));
        json.WriteNumber("timeoutMs", group.Timeout.TotalMilliseconds);
        json.WriteBoolean("refuse", group.Refuses);
        json.WriteBoolean("migrates", migrates);
        json.WriteNumber("unchosen", unchosen);
        json.WriteNumber("refused", refused);
        json.WriteStartArray("members");
        foreach (var member in members)
            Write(json, member);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, MemberStatus member)
    {
        json.WriteStartObject();
        json.WriteString("member", member.Name);
        json.WriteNumber("slot", member.Slot);
        json.WriteNumber("incarnation", member.Incarnation);
        json.WriteNumber("pid", member.Pid);
        json.WriteNumber("rank", member.Rank);
        json.WriteNumber("weight", member.Weight);
        json.WriteString("state", State(member));
        json.WriteStartArray("faults");
        foreach (var fault in Names(member.Faults))
            json.WriteStringValue(fault);
        json.WriteEndArray();
        json.WriteBoolean("serving", member.IsIncumbent);
        if (member.ReplicaAge is { } replica)
            json.WriteNumber("replicaAgeMs", replica.TotalMilliseconds);
        else
            json.WriteNull("replicaAgeMs");
        if (member.BeatAge is { } age)
            json.WriteNumber("beatAgeMs", age.TotalMilliseconds);
        else
            json.WriteNull("beatAgeMs");
        json.WriteNumber("timeoutMs", member.Timeout.TotalMilliseconds);
        json.WriteNumber("inGroupSeconds", member.InGroup.TotalSeconds);
        json.WriteNumber("chosen", member.Chosen);
        json.WriteNumber("migrated", member.Migrated);
        json.WriteNumber("lastResort", member.LastResort);
        json.WriteStartArray("listens");
        foreach (var place in member.Listens)
            json.WriteStringValue(place);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static IEnumerable<string> Names(StandbyFaults faults) => Faults.Where(f => faults.HasFlag(f)).Select(f => f.ToString().ToLowerInvariant());
}
