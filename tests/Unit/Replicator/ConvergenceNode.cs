using Maplog.Events;
using Maplog.Replicas;
using Maplog.Replicator.Protocol;

namespace Maplog.Tests.Unit.Replicator;

/// <summary>A node's map, which is a replica, or the source's own while the node is its writer; and the queue of its replicator.</summary>
internal sealed class ConvergenceNode(ConvergenceLog log, TimeProvider time)
{
    private Cursor _pinned, _intent;
    private ReplicaProtocol _replica = new(default, time);

    public Dictionary<int, int> Map { get; private set; } = [];

    public List<ModelMessage> Queue { get; } = [];

    /// <summary>The map is the source's: its replicator rests until it sees in the log that it no longer is.</summary>
    public bool IsSource { get; set; }

    public bool IsLevel => _pinned == log.End;

    public Epoch Epoch => _replica.Cursor.Epoch;

    public ModelMessage Take(int index)
    {
        var message = Queue[index];
        Queue.RemoveAt(index);
        return message;
    }

    public void Hear(ModelMessage message, int dice)
    {
        if (!IsSource)
            Follow(Offer(message), message as ModelBlock, dice);
    }

    public void HearBroken(int dice)
    {
        if (!IsSource)
            Follow(_replica.Broken(), null, dice);
    }

    public void Tick(int dice)
    {
        if (!IsSource)
            Follow(_replica.Silence(), null, dice);
    }

    /// <summary>Hears the first message, and dies before the cursor is written.</summary>
    public void HearHalf(int dice)
    {
        var before = _pinned;
        Hear(Take(0), dice);
        _pinned = before;
    }

    /// <summary>Follows what there is, as before a promotion.</summary>
    public void CatchUp()
    {
        for (var i = 0; i < 3 && !IsLevel; i++)
            Follow(new ReplicaStep(StepKind.PollHead), null, dice: 3);
    }

    public void Restart()
    {
        if (IsSource)
            return;
        _replica = new ReplicaProtocol(_pinned, time);
        var step = _replica.Resume(_intent);
        var repaired = step.Kind != StepKind.ReadLog || ReplicaProtocol.Confirms(_intent, log.At(_intent.Version));
        Follow(repaired ? step : new ReplicaStep(StepKind.Rebuild), null, dice: 3);
    }

    /// <summary>The map was the source's and is a replica again. It may hold what was never logged: it is built anew.</summary>
    public void BecomeReplica()
    {
        IsSource = false;
        _replica = new ReplicaProtocol(_pinned, time);
        Follow(new ReplicaStep(StepKind.Rebuild), null, dice: 3);
    }

    private ReplicaStep Offer(ModelMessage message) => message switch
    {
        ModelBlock block => _replica.Block(block.Epoch, block.First, block.Events.Length),
        ModelBeat beat => _replica.Beat(beat.Epoch, beat.Head),
        _ => throw new InvalidOperationException(),
    };

    private void Follow(ReplicaStep step, ModelBlock? block, int dice)
    {
        for (var i = 0; i < 10; i++)
        {
            switch (step.Kind)
            {
                case StepKind.Nothing:
                    return;
                case StepKind.Apply:
                    Apply(step.From, block!.Events[(int)(step.From - block.First)..]);
                    step = ReplicaStep.Nothing;
                    break;
                case StepKind.ReadLog:
                    // At times a read gives up half way.
                    step = ReadLog(step.From, dice % 5 == 0 ? step.From : step.To, block);
                    break;
                case StepKind.PollHead:
                    step = _replica.Polled(log.End);
                    break;
                case StepKind.Rebuild:
                    Map = log.Fold();
                    _intent = _pinned = log.End;
                    _replica.Rebuilt(_pinned);
                    step = ReplicaStep.Nothing;
                    break;
                default:
                    throw new InvalidOperationException();
            }
        }
    }

    private ReplicaStep ReadLog(StreamVersion from, StreamVersion to, ModelBlock? block)
    {
        if (!_replica.Confirms(log.At(_replica.Cursor.Version)))
            return new ReplicaStep(StepKind.Rebuild);
        var last = to < log.Head ? to : log.Head;
        if (last >= from)
            Apply(from, log.Read(from, last));
        _replica.LogRead(brought: last >= from);
        return block is null ? ReplicaStep.Nothing : Offer(block);
    }

    private void Apply(StreamVersion from, IReadOnlyList<ModelEvent> events)
    {
        _intent = new Cursor(events[^1].Epoch, from + (events.Count - 1));
        foreach (var logged in events)
            logged.ApplyTo(Map);
        _pinned = _intent;
        _replica.Applied(_pinned);
    }
}
