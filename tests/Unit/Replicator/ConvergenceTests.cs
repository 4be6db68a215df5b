using CsCheck;
using Maplog.Events;
using Maplog.Replicas;
using Maplog.Replicator.Protocol;
using Xunit;

namespace Maplog.Tests.Unit.Replicator;

/// <summary>A writer, a log, a bus that does its worst and a replica that crashes, all in memory.</summary>
public class ConvergenceTests
{
    private enum Act { Write, NewTerm, NewMap, Beat, Deliver, Double, Lose, Garble, Deposed, Tick, Crash, CrashBetween, CrashBeforeRepair, LoseLog }

    private static readonly Gen<Act> Acts = Gen.Frequency(
        (30, Gen.Const(Act.Write)), (2, Gen.Const(Act.NewTerm)), (1, Gen.Const(Act.NewMap)), (8, Gen.Const(Act.Beat)),
        (30, Gen.Const(Act.Deliver)), (8, Gen.Const(Act.Double)), (8, Gen.Const(Act.Lose)), (3, Gen.Const(Act.Garble)),
        (3, Gen.Const(Act.Deposed)), (4, Gen.Const(Act.Tick)), (3, Gen.Const(Act.Crash)), (3, Gen.Const(Act.CrashBetween)));

    [Fact]
    public void Whatever_the_bus_does_and_whenever_the_replica_dies_it_ends_equal_to_the_log()
    {
        Gen.Select(Acts, Gen.Int[0, 1_000_000]).Array[0, 300].Sample(Converges, iter: 2000);
    }

    [Fact]
    public void Even_a_log_that_lost_its_last_commits_is_followed_in_the_end()
    {
        var acts = Gen.Frequency((40, Acts), (1, Gen.Const(Act.LoseLog)), (1, Gen.Const(Act.CrashBeforeRepair)));
        Gen.Select(acts, Gen.Int[0, 1_000_000]).Array[0, 300].Sample(Converges, iter: 2000);
    }

    private static bool Converges((Act Act, int Dice)[] acts)
    {
        var world = new World();
        foreach (var (act, dice) in acts)
            world.Do(act, dice);
        world.Settle();
        return world.ReplicaIsEqual();
    }

    private sealed record Logged(Epoch Epoch, EventKind Kind, int Key, int Value);

    private abstract record Message;

    private sealed record Block(Epoch Epoch, StreamVersion First, Logged[] Events) : Message;

    private sealed record Beat(Epoch Epoch, StreamVersion Head) : Message;

    private sealed class World
    {
        private readonly ManualTime _time = new();
        private readonly List<Logged> _log = [];
        private readonly List<Message> _bus = [];
        private Dictionary<int, int> _map = [];
        private Cursor _pinned;
        private Cursor _intent;
        private ReplicaProtocol _replica;
        private Epoch _epoch = new(1);

        public World()
        {
            _replica = new ReplicaProtocol(default, _time);
            Commit([new Logged(_epoch, EventKind.EpochStarted, 0, 0), new Logged(_epoch, EventKind.MapOpened, 0, 0)]);
        }

        private StreamVersion Head => new(_log.Count);

        public void Do(Act act, int dice)
        {
            switch (act)
            {
                case Act.Write:
                    Commit(Enumerable.Range(0, dice % 5 + 1).Select(i => Change(dice + i * 7919)).ToArray());
                    break;
                case Act.NewTerm:
                    _epoch = _epoch.Next;
                    Commit([new Logged(_epoch, EventKind.EpochStarted, 0, 0)]);
                    break;
                case Act.NewMap:
                    Commit([new Logged(_epoch, EventKind.MapOpened, 0, 0)]);
                    break;
                case Act.Beat:
                    _bus.Add(new Beat(_epoch, Head));
                    break;
                case Act.Deliver when _bus.Count > 0:
                    // Mostly in order, at times not.
                    Hear(Take(dice % 4 == 0 ? dice % _bus.Count : 0), dice);
                    break;
                case Act.Double when _bus.Count > 0:
                    Hear(_bus[dice % _bus.Count], dice);
                    break;
                case Act.Lose when _bus.Count > 0:
                    Take(dice % _bus.Count);
                    break;
                case Act.Garble when _bus.Count > 0:
                    Take(0);
                    Follow(_replica.Broken(), null, dice);
                    break;
                case Act.Deposed when _epoch.Value > 1:
                    // Published by mistake, never committed.
                    Hear(new Block(new Epoch(_epoch.Value - 1), Head.Next, [new Logged(new Epoch(_epoch.Value - 1), EventKind.EntryAdded, 1, -1)]), dice, forged: true);
                    break;
                case Act.Tick:
                    _time.Pass(TimeSpan.FromSeconds(1));
                    Follow(_replica.Silence(), null, dice);
                    break;
                case Act.Crash:
                    Restart(dice);
                    break;
                case Act.CrashBetween when _bus.Count > 0:
                    // The batch is in the map, the cursor is not yet.
                    var before = _pinned;
                    Hear(Take(0), dice);
                    _pinned = before;
                    Restart(dice);
                    break;
                case Act.CrashBeforeRepair when _bus.Count > 0:
                    var then = _pinned;
                    Hear(Take(0), dice);
                    _pinned = then;
                    if (_log.Count > 4)
                        Do(Act.LoseLog, dice);
                    Restart(dice);
                    break;
                case Act.LoseLog when _log.Count > 4:
                    _log.RemoveRange(_log.Count - 2, 2);
                    _epoch = _epoch.Next;
                    Commit([new Logged(_epoch, EventKind.EpochStarted, 0, 0)]);
                    break;
                default:
                    break;
            }
        }

        public void Settle()
        {
            // The deposed are silent, the bus too; what the replica missed it finds by itself.
            for (var i = 0; i < 20; i++)
            {
                _time.Pass(ReplicaProtocol.SilenceLimit);
                Follow(_replica.Silence(), null, dice: 3);
            }
        }

        public bool ReplicaIsEqual()
        {
            var model = new Dictionary<int, int>();
            foreach (var logged in _log)
                Fold(model, logged);
            return _pinned.Version == Head && model.Count == _map.Count && model.All(e => _map.TryGetValue(e.Key, out var value) && value == e.Value);
        }

        private Logged Change(int dice) => (dice % 3) switch
        {
            0 => new Logged(_epoch, EventKind.EntryDeleted, dice % 11, 0),
            _ => new Logged(_epoch, EventKind.EntryUpdated, dice % 11, dice),
        };

        private void Commit(Logged[] events)
        {
            _bus.Add(new Block(events[0].Epoch, Head.Next, events));
            _log.AddRange(events);
        }

        private Message Take(int index)
        {
            var message = _bus[index];
            _bus.RemoveAt(index);
            return message;
        }

        private void Hear(Message message, int dice, bool forged = false)
        {
            // A deposed writer's block can only deceive a replica that has not met the new term; capture never sends one.
            if (forged && _replica.Cursor.Epoch < _epoch)
                return;
            Follow(Offer(message), message as Block, dice);
        }

        private ReplicaStep Offer(Message message) => message switch
        {
            Block block => _replica.Block(block.Epoch, block.First, block.Events.Length),
            Beat beat => _replica.Beat(beat.Epoch, beat.Head),
            _ => throw new InvalidOperationException(),
        };

        private void Follow(ReplicaStep step, Block? block, int dice)
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
                        step = _replica.Polled(new Cursor(_log[^1].Epoch, Head));
                        break;
                    case StepKind.Rebuild:
                        _map = [];
                        _intent = _pinned = new Cursor(_log[^1].Epoch, Head);
                        foreach (var logged in _log)
                            Fold(_map, logged);
                        _replica.Rebuilt(_pinned);
                        step = ReplicaStep.Nothing;
                        break;
                    default:
                        throw new InvalidOperationException();
                }
            }
        }

        private void Restart(int dice)
        {
            _replica = new ReplicaProtocol(_pinned, _time);
            var step = _replica.Resume(_intent);
            var repaired = step.Kind != StepKind.ReadLog || ReplicaProtocol.Confirms(_intent, Logged(_intent.Version));
            Follow(repaired ? step : new ReplicaStep(StepKind.Rebuild), null, dice: 3);
        }

        private Cursor Logged(StreamVersion version) => version == StreamVersion.None || version > Head ? default : new Cursor(_log[(int)version.Value - 1].Epoch, version);

        private ReplicaStep ReadLog(StreamVersion from, StreamVersion to, Block? block)
        {
            if (!_replica.Confirms(Logged(_replica.Cursor.Version)))
                return new ReplicaStep(StepKind.Rebuild);
            var last = to < Head ? to : Head;
            if (last >= from)
                Apply(from, _log[(int)(from.Value - 1)..(int)last.Value]);
            _replica.LogRead(brought: last >= from);
            return block is null ? ReplicaStep.Nothing : Offer(block);
        }

        private void Apply(StreamVersion from, IReadOnlyList<Logged> events)
        {
            _intent = new Cursor(events[^1].Epoch, from + (events.Count - 1));
            foreach (var logged in events)
                Fold(_map, logged);
            _pinned = _intent;
            _replica.Applied(_pinned);
        }

        private static void Fold(Dictionary<int, int> map, Logged logged)
        {
            if (logged.Kind == EventKind.MapOpened)
                map.Clear();
            else if (logged.Kind == EventKind.EntryDeleted)
                map.Remove(logged.Key);
            else if (logged.Kind == EventKind.EntryUpdated)
                map[logged.Key] = logged.Value;
        }
    }
}
