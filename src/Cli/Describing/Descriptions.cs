using Maplog.Btf;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Describing;

/// <summary>
/// The one answer to what a map's bytes mean, for every verb: what an operator said, else what the log says (SQL has these two as
/// well), else what the map's BTF says, for events that are older than descriptions.
/// </summary>
/// <param name="stored">What operators said of the stream's maps.</param>
internal sealed class Descriptions(IReadOnlyList<StoredDescription> stored)
{
    public static Descriptions None { get; } = new([]);

    public static async Task<Descriptions> ReadAsync(LogStore log, StreamName stream, CancellationToken cancellation) =>
        new(await new DescriptionStore(log).ReadAsync(stream, cancellation));

    /// <summary>What the fields of a life of the map are; null: nothing says.</summary>
    public MapFields? Of(MapOpened map) => StoredOf(map)?.Fields ?? OwnOf(map);

    /// <summary>What an operator said of it; null: nothing.</summary>
    public StoredDescription? StoredOf(MapOpened map) => stored.FirstOrDefault(
        d => d.KeySize == map.Shape.KeySize && d.ValueSize == map.Shape.ValueSize && MapFields.AreSame(d.Own, map.Fields));

    /// <summary>One sentence that names what is a guess in it; null: nothing is.</summary>
    public string? GuessesOf(StreamName stream, MapOpened map) => Fields.GuessNote(stream, map.Shape, Of(map));

    /// <summary>What the log says without an operator.</summary>
    public static MapFields? OwnOf(MapOpened map)
    {
        var derived = FieldTypes.Of(map);
        // Earlier versions wrote no marks: where the BTF says the same, its marks are known. Where not, SQL has what was written.
        return map.Fields is null || derived is not null && MapFields.AreSame(map.Fields, derived) ? derived : map.Fields;
    }
}
