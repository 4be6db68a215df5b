using CsCheck;
using Maplog.Bus;
using Maplog.Events;

namespace Maplog.Tests.Unit.Bus;

/// <summary>An event before and after its way through a block.</summary>
internal sealed record SentEvent(long Version, EventKind Kind, string Key, string Value, string Json);

/// <summary>A block before and after its way over the bus.</summary>
internal sealed record SentBlock(StreamName Stream, Epoch Epoch, long First, int KeySize, int ValueSize, DateTimeOffset Newest, IReadOnlyList<SentEvent> Events)
{
    public ReadOnlyMemory<byte> WriteTo(ChangeBlockWriter writer)
    {
        writer.Begin(Stream, Epoch, new StreamVersion(First), KeySize, ValueSize);
        foreach (var e in Events)
        {
            if (e.Kind.IsChange())
                writer.AddChange(e.Kind, Convert.FromHexString(e.Key), Convert.FromHexString(e.Value));
            else
                writer.AddNote(e.Kind, Convert.FromHexString(e.Json));
        }
        return writer.Finish(Newest);
    }

    public static SentBlock Of(ChangeBlock block)
    {
        var events = new List<SentEvent>();
        foreach (var e in block)
            events.Add(new SentEvent(e.Version.Value, e.Kind, Convert.ToHexString(e.Key), Convert.ToHexString(e.Value), Convert.ToHexString(e.Json)));
        return new SentBlock(block.Stream, block.Epoch, block.First.Value, block.KeySize, block.ValueSize, block.NewestTime, events);
    }
}

internal static class Blocks
{
    private static readonly Gen<EventKind> Kind = Gen.Int[1, 9].Select(k => (EventKind)k);

    private static readonly Gen<DateTimeOffset> Time =
        Gen.Long[0, 4_000_000_000_000_000].Select(us => DateTimeOffset.UnixEpoch.AddTicks(us * TimeSpan.TicksPerMicrosecond));

    private static readonly Gen<StreamName> Name = Gen.Select(
        Gen.String[Gen.Char.AlphaNumeric.Select(char.ToLowerInvariant), 1, 48],
        Gen.String[Gen.Char.AlphaNumeric, 1, 64],
        (source, map) => new StreamName(source, map));

    /// <summary>Blocks of up to 50 events of any kind, with keys of up to 64 and values of up to 300 bytes.</summary>
    public static Gen<SentBlock> Any { get; } =
        from name in Name
        from epoch in Gen.Int[0, int.MaxValue]
        from first in Gen.Long[1, long.MaxValue - 1000]
        from keySize in Gen.Int[1, 64]
        from valueSize in Gen.Int[0, 300]
        from time in Time
        from events in Event(keySize, valueSize).List[1, 50]
        select new SentBlock(name, new Epoch(epoch), first, keySize, valueSize, time, [.. events.Select((e, i) => e with { Version = first + i })]);

    private static Gen<SentEvent> Event(int keySize, int valueSize) =>
        from kind in Kind
        from key in Hex(kind.IsChange() ? keySize : 0)
        from value in Hex(kind.HasValue() ? valueSize : 0)
        from json in Gen.Int[0, 300].SelectMany(size => Hex(kind.IsChange() ? 0 : size))
        select new SentEvent(0, kind, key, value, json);

    private static Gen<string> Hex(int size) => Gen.Byte.Array[size].Select(Convert.ToHexString);
}
