using System.Diagnostics.CodeAnalysis;

namespace Maplog.HotStandby;

/// <summary>What a process is in its group. Checked when it joins, every mistake at once.</summary>
public sealed class StandbyOptions
{
    /// <summary>Folder of bpffs with a folder for each group. Default <c>/sys/fs/bpf/maplog_standby</c>.</summary>
    public string PinRoot { get; set; } = StandbyGroup.DefaultRoot;

    /// <summary>The group: 1 to 39 of a-z, 0-9, '-' and '_'. Needed.</summary>
    public string Group { get; set; } = "";

    /// <summary>The member's name in the group, of the same characters. Needed. Two live processes have one name only while the older drains.</summary>
    public string Member { get; set; } = "";

    /// <summary>The lowest serves, in a ranked group. Default 0. An operator's word stands above it.</summary>
    public int Rank { get; set; }

    /// <summary>The share of connections, in a weighted group; 0 takes none while another can. Default 100, at most 1,000,000.</summary>
    public int Weight { get; set; } = 100;

    /// <summary>How the group chooses; null takes what the group has, which begins as ranked.</summary>
    public StandbyPolicy? Policy { get; set; }

    /// <summary>When a better rank takes over; null takes what the group has, which begins as at once.</summary>
    public Failback? Failback { get; set; }

    /// <summary>A heartbeat older than this is stale, of this member. 10 ms to a minute; null takes the group's, which begins as one second.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>
    /// Connects to the own listener four times in a timeout, so that a service without clients has a heartbeat too: what accepts
    /// it writes the beat. Default true. Without it call <see cref="StandbyMember.Beat()"/> from where requests are served.
    /// </summary>
    public bool Pulse { get; set; } = true;

    /// <summary>False: the member has no heartbeat and is never stale; a hang is not noticed. Default true.</summary>
    public bool Heartbeat { get; set; } = true;

    /// <summary>
    /// The member's own check; false or an exception is unhealthy, and so is no answer within <see cref="CheckEvery"/>.
    /// A member that has one begins as unhealthy, until it has said true. Default none.
    /// </summary>
    public Func<CancellationToken, ValueTask<bool>>? Healthy { get; set; }

    /// <summary>
    /// Pins of the replicas that the member serves from, as <c>maplog-replicator --pin</c> has them. It goes before others only while each was level
    /// with its log within <see cref="MostLag"/>, and since the member joined: not before they have caught up, and no longer than that after a replicator or its log is gone.
    /// To be read by the member's user. Default none.
    /// </summary>
    public IList<string> Replicas { get; set; } = [];

    /// <summary>The greatest lag of a replica, in time. A replicator asks the log every second. Default 5 s; 2 s to a day.</summary>
    public TimeSpan MostLag { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Whether the member may go before others, by a check of its own, beside <see cref="Replicas"/>. It begins as not eligible, until this has said
    /// true once, and it lapses when this is asked no more. Default none.
    /// </summary>
    public Func<CancellationToken, ValueTask<bool>>? Eligible { get; set; }

    /// <summary>How often the checks are made, and how long each may take. Default 1 s; 10 ms to an hour, with replicas no more than half of <see cref="MostLag"/>.</summary>
    public TimeSpan CheckEvery { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a drain waits for connections to be accepted that the kernel has given already. Default 1 s, at most a day.</summary>
    public TimeSpan Settle { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Is told in sentences what goes wrong in checks and pulses. Default: nobody.</summary>
    public Action<string>? Complain { get; set; }

    /// <summary>False: as on a kernel before 5.14, for who makes an address' pins. For tests.</summary>
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
            // There is nobody else to tell.
        }
    }
}
