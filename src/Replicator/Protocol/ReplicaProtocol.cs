using Maplog.Events;
using Maplog.Replicas;

namespace Maplog.Replicator.Protocol;

/// <summary>
/// The rules by which a replica follows its stream, without input or output: news goes in, the next step comes out. The bus may lose,
/// duplicate and reorder messages; the versions show what is missing, and the log has it.
/// </summary>
/// <param name="cursor">The position of the replica.</param>
/// <param name="time">Measures silence.</param>
public sealed class ReplicaProtocol(Cursor cursor, TimeProvider time)
{
    private static readonly StreamVersion Nowhere = new(-1);

    private long _heardAt = time.GetTimestamp();
    private StreamVersion _readInVain = Nowhere;

    /// <summary>Capture beats every second: after two missed beats the replica asks the log.</summary>
    public static TimeSpan SilenceLimit { get; } = TimeSpan.FromSeconds(2);

    public Cursor Cursor { get; private set; } = cursor;

    /// <summary>The greatest version known to be in the log.</summary>
    public StreamVersion Head { get; private set; } = cursor.Version;

    /// <summary>Versions between the cursor and the head.</summary>
    public long Lag => Head - Cursor.Version;

    /// <summary>How long until <see cref="Silence"/> asks for a poll; zero or less: now.</summary>
    public TimeSpan UntilSilence => SilenceLimit - time.GetElapsedTime(_heardAt);

    /// <summary>
    /// The first step after a start. A replica notes the range that it is about to apply. If it died in between, its map may contain a part
    /// of the range, so the whole range is applied again before anything else. The event at the end of the range must still belong to that
    /// term (<see cref="Confirms(Cursor, Cursor)"/>).
    /// </summary>
    /// <param name="intent">The last note; equal to the cursor if no batch was in progress.</param>
    public ReplicaStep Resume(Cursor intent) =>
        intent.Version > Cursor.Version ? new ReplicaStep(StepKind.ReadLog, Cursor.Version.Next, intent.Version) : new ReplicaStep(StepKind.PollHead);

    /// <summary>A block of changes arrived: <paramref name="count"/> versions from <paramref name="first"/>.</summary>
    public ReplicaStep Block(Epoch epoch, StreamVersion first, int count)
    {
        // The events of a deposed writer are in the log already, or never will be.
        if (epoch < Cursor.Epoch || count <= 0)
            return ReplicaStep.Nothing;
        var last = first + (count - 1);
        Heard(last);
        SeeHead(last);
        // A replica enters a term through the log, which shows whether the terms before are the terms that the replica followed.
        if (epoch > Cursor.Epoch)
            return last > Cursor.Version && _readInVain != Cursor.Version ? new ReplicaStep(StepKind.ReadLog, Cursor.Version.Next, last) : new ReplicaStep(StepKind.PollHead);
        if (last <= Cursor.Version)
            return ReplicaStep.Nothing;
        if (first <= Cursor.Version.Next)
            return new ReplicaStep(StepKind.Apply, Cursor.Version.Next, last);
        // If the log did not have the versions before this block a moment ago, the next beat makes the replica ask again.
        return _readInVain == Cursor.Version ? ReplicaStep.Nothing : new ReplicaStep(StepKind.ReadLog, Cursor.Version.Next, first + -1);
    }

    /// <summary>Capture sent the stream's head.</summary>
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

    /// <summary>A message arrived that cannot be read; its events are in the log.</summary>
    public ReplicaStep Broken()
    {
        Heard();
        return new ReplicaStep(StepKind.PollHead);
    }

    /// <summary>The log has this version; the bus may not have delivered it yet.</summary>
    public void Logged(StreamVersion head) => SeeHead(head);

    /// <summary>Time has passed.</summary>
    public ReplicaStep Silence()
    {
        if (UntilSilence > TimeSpan.Zero)
            return ReplicaStep.Nothing;
        Heard();
        return new ReplicaStep(StepKind.PollHead);
    }

    /// <summary>The log returned the stream's head: the epoch and version of its last event, or (0, 0) for an empty stream.</summary>
    public ReplicaStep Polled(Cursor head)
    {
        if (head.Version < Cursor.Version || (head.Version == Cursor.Version && head.Epoch != Cursor.Epoch))
            return new ReplicaStep(StepKind.Rebuild);
        Head = head.Version;
        return head.Version == Cursor.Version ? ReplicaStep.Nothing : new ReplicaStep(StepKind.ReadLog, Cursor.Version.Next, head.Version);
    }

    /// <summary>A read of the log has ended, and all its events were applied.</summary>
    /// <param name="brought">Whether it returned any event.</param>
    public void LogRead(bool brought) => _readInVain = brought ? Nowhere : Cursor.Version;

    /// <summary>
    /// A read of the log begins with the event at the cursor. Only if this event belongs to the cursor's term, it is the log that the
    /// replica followed. If it does not, or is missing, the replica must be built again.
    /// </summary>
    /// <param name="logged">Epoch and version of the event that the log has there; (0, 0) if it has none.</param>
    public bool Confirms(Cursor logged) => Confirms(Cursor, logged);

    /// <summary>The same for an earlier cursor, or for a cursor that was about to be written.</summary>
    public static bool Confirms(Cursor held, Cursor logged) => held.Version == StreamVersion.None || logged == held;

    /// <summary>The replica and its pinned cursor have reached this position.</summary>
    public void Applied(Cursor cursor)
    {
        Cursor = cursor;
        SeeHead(cursor.Version);
    }

    /// <summary>The replica was built again, up to this position.</summary>
    public void Rebuilt(Cursor cursor)
    {
        Cursor = cursor;
        Head = cursor.Version;
        _readInVain = Nowhere;
    }

    // A bus that repeats known versions is late, as during an alarm of RabbitMQ; then the log is asked as if the bus were silent.
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
