using Maplog.Events;
using Maplog.Replicator.Protocol;

namespace Maplog.Tests.Unit.Replicator;

/// <summary>A writer, a node that stands by, and what is between them.</summary>
internal sealed class ConvergenceWorld
{
    private readonly ManualTime _time = new();
    private readonly ConvergenceLog _log = new();
    private readonly List<ModelEvent> _unlogged = [];
    private ConvergenceNode _writer, _other;
    private Epoch _epoch = new(1);
    private bool _hasPromotedWrongly;

    public ConvergenceWorld()
    {
        (_writer, _other) = (new ConvergenceNode(_log, _time) { IsSource = true }, new ConvergenceNode(_log, _time));
        Commit(new ModelEvent(_epoch, EventKind.EpochStarted), new ModelEvent(_epoch, EventKind.MapOpened));
    }

    public void Do(Act act, int dice)
    {
        var queue = _other.Queue;
        switch (act)
        {
            case Act.Write:
                Write(dice);
                break;
            case Act.NewTerm:
                Begin();
                break;
            case Act.NewMap:
                Flush();
                _writer.Map.Clear();
                Commit(new ModelEvent(_epoch, EventKind.MapOpened));
                break;
            case Act.Beat:
                queue.Add(new ModelBeat(_epoch, _log.Head));
                break;
            case Act.Deliver when queue.Count > 0:
                // Mostly in order, at times not.
                _other.Hear(_other.Take(dice % 4 == 0 ? dice % queue.Count : 0), dice);
                break;
            case Act.Double when queue.Count > 0:
                _other.Hear(queue[dice % queue.Count], dice);
                break;
            case Act.Lose when queue.Count > 0:
                _other.Take(dice % queue.Count);
                break;
            case Act.Garble when queue.Count > 0:
                _other.Take(0);
                _other.HearBroken(dice);
                break;
            // Only a replica that has not met the new term could be deceived by it, and capture publishes nothing before its commit.
            case Act.Forge when _epoch.Value > 1 && _other.Epoch == _epoch:
                var past = new Epoch(_epoch.Value - 1);
                _other.Hear(new ModelBlock(past, _log.Head.Next, [new ModelEvent(past, EventKind.EntryUpdated, 1, -1)]), dice);
                break;
            case Act.Tick:
                _time.Pass(TimeSpan.FromSeconds(1));
                _other.Tick(dice);
                break;
            case Act.Crash:
                _other.Restart();
                break;
            case Act.CrashBetween when queue.Count > 0:
                _other.HearHalf(dice);
                _other.Restart();
                break;
            case Act.CrashBeforeRepair when queue.Count > 0:
                _other.HearHalf(dice);
                Do(Act.LoseLog, dice);
                _other.Restart();
                break;
            case Act.LoseLog when _log.Head.Value > 4:
                _log.Lose(2);
                Begin();
                break;
            case Act.Promote:
                Flush();
                Promote();
                break;
            case Act.Depose:
                _unlogged.Clear();
                Promote();
                break;
            default:
                break;
        }
    }

    public void Settle()
    {
        Flush();
        // The deposed are silent, the bus too; what the replica missed it finds by itself.
        for (var i = 0; i < 20; i++)
        {
            _time.Pass(ReplicaProtocol.SilenceLimit);
            _other.Tick(dice: 3);
        }
    }

    public bool IsEqual() => !_hasPromotedWrongly && _other.IsLevel && IsLogged(_writer) && IsLogged(_other);

    private void Write(int dice)
    {
        for (var i = 0; i <= dice % 5; i++)
        {
            var change = Change(dice + i * 7919);
            change.ApplyTo(_writer.Map);
            _unlogged.Add(change);
        }
        // At times its ring holds it for a while.
        if (dice % 7 != 0)
            Flush();
    }

    private ModelEvent Change(int dice) => dice % 3 == 0
        ? new ModelEvent(_epoch, EventKind.EntryDeleted, dice % 11)
        : new ModelEvent(_epoch, EventKind.EntryUpdated, dice % 11, dice);

    private void Flush()
    {
        if (_unlogged.Count > 0)
            Commit([.. _unlogged]);
        _unlogged.Clear();
    }

    // A term begins with a scan: what the log lost comes again from the map.
    private void Begin(params ModelEvent[] more)
    {
        _epoch = _epoch.Next;
        _unlogged.Clear();
        Commit([new ModelEvent(_epoch, EventKind.EpochStarted), .. more.Select(e => e with { Epoch = _epoch })]);
        var fold = _log.Fold();
        ModelEvent[] found =
        [
            .. fold.Keys.Where(k => !_writer.Map.ContainsKey(k)).Select(k => new ModelEvent(_epoch, EventKind.EntryDeleted, k)),
            .. _writer.Map.Where(e => !fold.TryGetValue(e.Key, out var value) || value != e.Value).Select(e => new ModelEvent(_epoch, EventKind.EntryUpdated, e.Key, e.Value)),
        ];
        if (found.Length > 0)
            Commit(found);
    }

    // A node is promoted once its replica has all that the log has. What was published before may come to the old one, late.
    private void Promote()
    {
        _other.CatchUp();
        _hasPromotedWrongly |= !_other.IsLevel || !IsLogged(_other);
        var deposed = _writer;
        (_writer, _other) = (_other, _writer);
        _writer.IsSource = true;
        Begin(new ModelEvent(_epoch, EventKind.MapMoved));
        deposed.BecomeReplica();
    }

    private void Commit(params ModelEvent[] events)
    {
        var block = _log.Append(events);
        // To the writer's own queue, too, if it was a replica once: nobody takes it out until it is one again.
        _other.Queue.Add(block);
        _writer.Queue.Add(block);
    }

    private bool IsLogged(ConvergenceNode node)
    {
        var fold = _log.Fold();
        return fold.Count == node.Map.Count && fold.All(e => node.Map.TryGetValue(e.Key, out var value) && value == e.Value);
    }
}
