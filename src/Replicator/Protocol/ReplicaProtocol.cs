using Maplog.Events;
using Maplog.Replicas;

namespace Maplog.Replicator.Protocol;

/// <summary>
/// The rules by which a replica follows its stream, free of any input or output: what was heard goes in, what to do comes
/// out. The bus may lose, double and reorder as it likes; versions say what is missing, and the log has it.
/// </summary>
/// <param name="cursor">Where the replica stands.</param>
/// <param name="time">Measures silence.</param>
public sealed class ReplicaProtocol(Cursor cursor, TimeProvider time)
{
    private static readonly StreamVersion Nowhere = new(-1);

    private long _heardAt = time.GetTimestamp();
    private StreamVersion _readInVain = Nowhere;

    /// <summary>Capture beats every second: two beats missed, and the replica looks for itself.</summary>
    public static TimeSpan SilenceLimit { get; } = TimeSpan.FromSeconds(2);

    public Cursor Cursor { get; private set; } = cursor;

    /// <summary>The greatest version known to be in the log.</summary>
    public StreamVersion Head { get; private set; } = cursor.Version;

    /// <summary>Versions between here and the head.</summary>
    public long Lag => Head - Cursor.Version;

    /// <summary>How long until <see cref="Silence"/> asks for a poll; zero or less: now.</summary>
    public TimeSpan UntilSilence => SilenceLimit - time.GetElapsedTime(_heardAt);

    /// <summary>
    /// The first step after a start. A replica notes what it is about to apply before it applies it; if it died in between,
    /// its map may hold a part of that, and the range is applied again, whole, before anything else. The event at its end
    /// must still be of that term (<see cref="Confirms(Cursor, Cursor)"/>).
    /// </summary>
    /// <param name="intent">What was noted last; equal to the cursor if nothing was under way.</param>
    public ReplicaStep Resume(Cursor intent) =>
        intent.Version > Cursor.Version ? new ReplicaStep(StepKind.ReadLog, Cursor.Version.Next, intent.Version) : new ReplicaStep(StepKind.PollHead);

    /// <summary>A block of changes arrived: <paramref name="count"/> versions from <paramref name="first"/>.</summary>
    public ReplicaStep Block(Epoch epoch, StreamVersion first, int count)
    {
        // What a deposed writer says is in the log already or never will be.
        if (epoch < Cursor.Epoch || count <= 0)
            return ReplicaStep.Nothing;
        var last = first + (count - 1);
        Heard(last);
        SeeHead(last);
        // A term is entered through the log, which shows whether the terms before it are those that the replica followed.
        if (epoch > Cursor.Epoch)
            return last > Cursor.Version && _readInVain != Cursor.Version ? new ReplicaStep(StepKind.ReadLog, Cursor.Version.Next, last) : new ReplicaStep(StepKind.PollHead);
        if (last <= Cursor.Version)
            return ReplicaStep.Nothing;
        if (first <= Cursor.Version.Next)
            return new ReplicaStep(StepKind.Apply, Cursor.Version.Next, last);
        // If the log did not have the versions before this block a moment ago, the next beat asks again.
        return _readInVain == Cursor.Version ? ReplicaStep.Nothing : new ReplicaStep(StepKind.ReadLog, Cursor.Version.Next, first + -1);
    }

    /// <summary>Capture told the stream's head.</summary>
    public ReplicaStep Beat(Epoch epoch, StreamVersion head)
    {
        if (epoch < Cursor.Epoch)
            return ReplicaStep.Nothing;
        Heard(head);
        SeeHead(head);
        if (head > Cursor.Version)
            return new ReplicaStep(StepKind.ReadLog, Cursor.Version.Next, head);
        return epoch > Cursor.Epoch ? new ReplicaStep(StepKind.PollHead) : ReplicaStep.Nothing;
    }

    /// <summary>A message came that cannot be read; what it carried is in the log.</summary>
    public ReplicaStep Broken()
    {
        Heard();
        return new ReplicaStep(StepKind.PollHead);
    }

    /// <summary>The log has this much; the bus may not have brought it yet.</summary>
    public void Logged(StreamVersion head) => SeeHead(head);

    /// <summary>Time went by.</summary>
    public ReplicaStep Silence()
    {
        if (UntilSilence > TimeSpan.Zero)
            return ReplicaStep.Nothing;
        Heard();
        return new ReplicaStep(StepKind.PollHead);
    }

    /// <summary>The log told the stream's head: the epoch and version of its last event, or (0, 0) of an empty stream.</summary>
    public ReplicaStep Polled(Cursor head)
    {
        if (head.Version < Cursor.Version || (head.Version == Cursor.Version && head.Epoch != Cursor.Epoch))
            return new ReplicaStep(StepKind.Rebuild);
        Head = head.Version;
        return head.Version == Cursor.Version ? ReplicaStep.Nothing : new ReplicaStep(StepKind.ReadLog, Cursor.Version.Next, head.Version);
    }

    /// <summary>A read of the log is over, and everything it brought was applied.</summary>
    /// <param name="brought">Whether it brought anything.</param>
    public void LogRead(bool brought) => _readInVain = brought ? Nowhere : Cursor.Version;

    /// <summary>
    /// A read of the log begins with the event at the cursor: only if it is of the cursor's term is this the log that the
    /// replica followed. If it is not, or not there, the replica must be built anew.
    /// </summary>
    /// <param name="logged">Epoch and version of the event that the log has there; (0, 0) if none.</param>
    public bool Confirms(Cursor logged) => Confirms(Cursor, logged);

    /// <summary>The same for a cursor of the past, or one that was about to be.</summary>
    public static bool Confirms(Cursor held, Cursor logged) => held.Version == StreamVersion.None || logged == held;

    /// <summary>The replica and its pinned cursor are there now.</summary>
    public void Applied(Cursor cursor)
    {
        Cursor = cursor;
        SeeHead(cursor.Version);
    }

    /// <summary>The replica was built anew, up to there.</summary>
    public void Rebuilt(Cursor cursor)
    {
        Cursor = cursor;
        Head = cursor.Version;
        _readInVain = Nowhere;
    }

    // A bus that tells only what was known before is late, as under an alarm of RabbitMQ; the log is looked at as if it were silent.
    private void Heard(StreamVersion version)
    {
        if (version >= Head || version > Cursor.Version)
            Heard();
    }

    private void Heard() => _heardAt = time.GetTimestamp();

    private void SeeHead(StreamVersion version)
    {
        if (version > Head)
            Head = version;
    }
}
