using Maplog.Btf;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Describing;

/// <summary>
/// Descriptions that an earlier version derived in another way, or not at all: it took a <c>__u16</c> named port for a number in network
/// byte order, and marked no guesses. Events are not rewritten, so the description from the BTF of such a map is stored like a description
/// by an operator.
/// </summary>
internal static class EarlierDescriptions
{
    private const string By = "maplog migrate";

    /// <returns>How many maps were described again. Descriptions by operators stay.</returns>
    public static async Task<int> RenewAsync(LogStore log, CancellationToken cancellation)
    {
        var store = new DescriptionStore(log);
        var count = 0;
        foreach (var lives in (await store.ListMapsAsync(cancellation)).GroupBy(m => m.Stream))
        {
            var known = await Descriptions.ReadAsync(log, lives.Key, cancellation);
            foreach (var (stream, map) in lives)
            {
                if (FieldTypes.Of(map) is not { } derived || MapFields.AreSame(map.Fields, derived) || known.StoredOf(map) is not null)
                    continue;
                await store.SaveAsync(stream, map, derived, By, cancellation);
                known = await Descriptions.ReadAsync(log, lives.Key, cancellation);
                count++;
            }
        }
        return count;
    }
}
