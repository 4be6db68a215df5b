using System.Diagnostics.CodeAnalysis;

namespace Maplog.HotStandby;

/// <summary>A process' settings in its group. They are checked when it joins, and all mistakes are reported at once.</summary>
public sealed class StandbyOptions
{
    /// <summary>Folder of bpffs with a folder for each group. Default <c>/sys/fs/bpf/maplog_standby</c>.</summary>
    public string PinRoot { get; set; } = StandbyGroup.DefaultRoot;

    /// <summary>The group: 1 to 39 of a-z, 0-9, '-' and '_'. Required.</summary>
    public string Group { get; set; } = "";

    /// <summary>
    /// The member's name in the group, of the same characters. Required. Two live processes have the same name only while the older one
    /// drains.
    /// </summary>
    public string Member { get; set; } = "";

    /// <summary>The lowest rank serves, in a ranked group. Default 0. An operator's setting takes precedence.</summary>
    public int Rank { get; set; }

    /// <summary>
    /// The share of connections, in a weighted group; a member with 0 gets none while another member can serve. Default 100, at most
    /// 1,000,000.
    /// </summary>
    public int Weight { get; set; } = 100;

    /// <summary>How the group chooses; null accepts the group's policy, which is ranked at first.</summary>
    public StandbyPolicy? Policy { get; set; }

    /// <summary>When a better rank takes over; null accepts the group's setting, which is at once at first.</summary>
    public Failback? Failback { get; set; }

    /// <summary>
    /// A heartbeat of this member that is older is stale. 10 ms to a minute; null uses the group's timeout, which is one second at first.
    /// </summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>
    /// Connects to the member's own listener four times in a timeout, so that a service without clients has a heartbeat too: the accepting
    /// code writes it. Default true. Without it, call <see cref="StandbyMember.Beat()"/> in the code that serves requests.
    /// </summary>
    public bool Pulse { get; set; } = true;

    /// <summary>False: the member has no heartbeat and is never stale; the program does not notice a hang. Default true.</summary>
    public bool Heartbeat { get; set; } = true;

    /// <summary>
    /// The member's own check; false, an exception, or no answer within <see cref="CheckEvery"/> means unhealthy. A member with a check
    /// begins as unhealthy, until the check has returned true. Default none.
    /// </summary>
    public Func<CancellationToken, ValueTask<bool>>? Healthy { get; set; }

    /// <summary>
    /// Pins of the replicas from which the member serves, as in <c>maplog-replicator --pin</c>. The member goes before others only while
    /// each replica was level with its log within <see cref="MostLag"/>, and since the member joined: not before the replicas have caught
    /// up, and no longer than that after a replicator or its log is gone. The member's user must be able to read the pins. Default none.
    /// </summary>
    public IList<string> Replicas { get; set; } = [];

    /// <summary>The greatest lag of a replica, in time. A replicator asks the log every second. Default 5 s; 2 s to a day.</summary>
    public TimeSpan MostLag { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The member's own check whether it may go before others, in addition to <see cref="Replicas"/>. The member begins as not eligible,
    /// until the check has returned true once, and the eligibility lapses when the check is no longer called. Default none.
    /// </summary>
    public Func<CancellationToken, ValueTask<bool>>? Eligible { get; set; }

    /// <summary>
    /// The interval of the checks, and the limit of each. Default 1 s; 10 ms to an hour, with replicas at most half of <see
    /// cref="MostLag"/>.
    /// </summary>
    public TimeSpan CheckEvery { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a drain waits until connections that the kernel has already assigned are accepted. Default 1 s, at most a day.
    /// </summary>
    public TimeSpan Settle { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Receives sentences about problems in checks and pulses. Default: none.</summary>
    public Action<string>? Complain { get; set; }

    /// <summary>False: the pins of an address are created as on a kernel before 5.14. For tests.</summary>
    internal bool Migrate { get; set; } = true;

    internal IReadOnlyList<string> Mistakes()
    {
        var mistakes = new List<string>();
        if (!StandbyNames.IsName(Group))
            mistakes.Add($"Group: '{Group}' is not a group name; {StandbyNames.Rule}.");
        if (!StandbyNames.IsName(Member))
            mistakes.Add($"Member: '{Member}' is not a member name; {StandbyNames.Rule}.");
        if (Rank < 0)
            mistakes.Add($"Rank: {Rank} is below 0.");
        if (Weight is < 0 or > StandbyGroup.MostWeight)
            mistakes.Add($"Weight: {Weight} is not from 0 to {StandbyGroup.MostWeight}.");
        if (Timeout is { } timeout && !StandbyGroup.IsTimeout(timeout))
            mistakes.Add($"Timeout: {timeout.TotalMilliseconds} ms is not from 10 ms to a minute.");
        if (CheckEvery < TimeSpan.FromMilliseconds(10) || CheckEvery > TimeSpan.FromHours(1))
            mistakes.Add($"CheckEvery: {CheckEvery.TotalMilliseconds} ms is not from 10 ms to an hour.");
        else if (Replicas.Count > 0 && CheckEvery > MostLag / 2)
            mistakes.Add($"CheckEvery: {CheckEvery.TotalSeconds} s is more than half of MostLag, {MostLag.TotalSeconds} s: the member would not be eligible between two checks of its replicas.");
        if (MostLag < TimeSpan.FromSeconds(2) || MostLag > TimeSpan.FromDays(1))
            mistakes.Add($"MostLag: {MostLag.TotalSeconds} s is not from 2 s to a day.");
        foreach (var pin in Replicas.Where(pin => !Path.IsPathRooted(pin) || Path.EndsInDirectorySeparator(pin)))
            mistakes.Add($"Replicas: '{pin}' is not the absolute path of a pin; write it as /sys/fs/bpf/NAME.");
        if (Settle < TimeSpan.Zero || Settle > TimeSpan.FromDays(1))
            mistakes.Add($"Settle: {Settle.TotalSeconds} s is not from 0 s to a day.");
        return mistakes;
    }

    [SuppressMessage("Design", "CA1031", Justification = "A listener that throws must end neither checks nor pulses.")]
    internal void Say(string sentence)
    {
        try
        {
            Complain?.Invoke(sentence);
        }
        catch
        {
            // There is nobody else to inform.
        }
    }
}
