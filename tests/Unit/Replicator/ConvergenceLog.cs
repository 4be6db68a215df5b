using Maplog.Events;
using Maplog.Replicas;

namespace Maplog.Tests.Unit.Replicator;

/// <summary>An event of the model: of integers.</summary>
internal sealed record ModelEvent(Epoch Epoch, EventKind Kind, int Key = 0, int Value = 0)
{
    public void ApplyTo(Dictionary<int, int> map)
    {
        if (Kind == EventKind.MapOpened)
            map.Clear();
        else if (Kind == EventKind.EntryDeleted)
            map.Remove(Key);
        else if (Kind == EventKind.EntryUpdated)
            map[Key] = Value;
    }
}

/// <summary>What goes over the bus.</summary>
internal abstract record ModelMessage(Epoch Epoch);

internal sealed record ModelBlock(Epoch Epoch, StreamVersion First, ModelEvent[] Events) : ModelMessage(Epoch);

internal sealed record ModelBeat(Epoch Epoch, StreamVersion Head) : ModelMessage(Epoch);

/// <summary>The log of one stream.</summary>
internal sealed class ConvergenceLog
{
    private readonly List<ModelEvent> _events = [];

    public StreamVersion Head => new(_events.Count);

    public Cursor End => At(Head);

    public ModelBlock Append(ModelEvent[] events)
    {
        var block = new ModelBlock(events[0].Epoch, Head.Next, events);
        _events.AddRange(events);
        return block;
    }

    public void Lose(int count) => _events.RemoveRange(_events.Count - count, count);

    public Cursor At(StreamVersion version) => version == StreamVersion.None || version > Head ? default : new Cursor(_events[(int)version.Value - 1].Epoch, version);

    public IReadOnlyList<ModelEvent> Read(StreamVersion from, StreamVersion to) => _events[(int)(from.Value - 1)..(int)to.Value];

    public Dictionary<int, int> Fold()
    {
        var map = new Dictionary<int, int>();
        _events.ForEach(e => e.ApplyTo(map));
        return map;
    }
}
