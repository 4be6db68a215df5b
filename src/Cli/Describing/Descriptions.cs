using Maplog.Btf;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Describing;

/// <summary>
/// The only source of the meaning of a map's bytes, for every verb: the description by an operator, otherwise the description in the log
/// (SQL has both too), otherwise the map's BTF, for events that are older than descriptions.
/// </summary>
/// <param name="stored">The descriptions of the stream's maps by operators.</param>
internal sealed class Descriptions(IReadOnlyList<StoredDescription> stored)
{
    public static Descriptions None { get; } = new([]);

    public static async Task<Descriptions> ReadAsync(LogStore log, StreamName stream, CancellationToken cancellation) =>
        new(await new DescriptionStore(log).ReadAsync(stream, cancellation));

    /// <summary>The fields of a generation of the map; null: unknown.</summary>
    public MapFields? Of(MapOpened map) => StoredOf(map)?.Fields ?? OwnOf(map);

    /// <summary>The description by an operator; null: none.</summary>
    public StoredDescription? StoredOf(MapOpened map) => stored.FirstOrDefault(
        d => d.KeySize == map.Shape.KeySize && d.ValueSize == map.Shape.ValueSize && MapFields.AreSame(d.Own, map.Fields));

    /// <summary>One sentence that names the guesses; null: there are none.</summary>
    public string? GuessesOf(StreamName stream, MapOpened map) => Fields.GuessNote(stream, map.Shape, Of(map));

    /// <summary>The description in the log, without an operator.</summary>
    public static MapFields? OwnOf(MapOpened map)
    {
        var derived = FieldTypes.Of(map);
        // Earlier versions wrote no marks: if the BTF has the same fields, its marks are valid. Otherwise SQL has the written description.
        return map.Fields is null || derived is not null && MapFields.AreSame(map.Fields, derived) ? derived : map.Fields;
    }
}
