namespace Maplog.Tests.HotStandby;

/// <summary>What became of a connection, and who answered.</summary>
public readonly record struct Reply(Outcome Outcome, string Member = "", int Pid = 0)
{
    public static Reply Parse(string line) => line.TrimEnd('\n').Split(' ') is [var member, var pid] && line.EndsWith('\n')
        ? new Reply(Outcome.Answered, member, int.Parse(pid))
        : new Reply(Outcome.Reset);
}
