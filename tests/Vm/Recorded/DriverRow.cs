namespace Maplog.Tests.Recorded;

/// <summary>A line of mapdriver's rows.txt: a map, and how it was changed. <c>mapdriver --help</c> says what the words mean.</summary>
/// <param name="Map">The row's name, which is its map's.</param>
/// <param name="Certainty">exact, per-key, evicting, unknown, unsupported or failed.</param>
/// <param name="Way">WRITER.CALL</param>
/// <param name="Type">hash, lru_hash, …</param>
/// <param name="KeySize">Bytes.</param>
/// <param name="ValueSize">Bytes; of one CPU.</param>
/// <param name="Changes">How many succeeded.</param>
/// <param name="Note">Why it is unsupported or failed.</param>
public sealed record DriverRow(string Map, string Certainty, string Way, string Type, int KeySize, int ValueSize, int Changes, string Note)
{
    public string Writer => Way.Split('.')[0];

    public static DriverRow Parse(string line)
    {
        var fields = line.Split('\t');
        return new DriverRow(fields[0], fields[1], fields[2], fields[3], int.Parse(fields[4]), int.Parse(fields[5]), int.Parse(fields[9]), fields[11]);
    }
}
