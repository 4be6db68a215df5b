using Maplog.Configuration;

namespace Maplog.Capture;

/// <summary>The settings <c>ct_map=50ms</c>: how often one map is walked.</summary>
internal static class MapFresh
{
    private static readonly TimeSpan Min = TimeSpan.FromMilliseconds(10), Max = TimeSpan.FromHours(1);

    /// <summary>What is wrong with a setting; null: nothing.</summary>
    public static string? Mistake(string setting)
    {
        if (setting.Split('=') is not [{ Length: > 0 }, { Length: > 0 } time] || Duration.Parse(time) is not { } fresh)
            return $"'{setting}' does not name a map and a time: write ct_map=50ms.";
        return fresh < Min || fresh > Max ? $"'{setting}' is out of range: use 10ms to 1h." : null;
    }

    /// <summary>Settings without a mistake, by map; the last of several for one map counts.</summary>
    public static IReadOnlyDictionary<string, TimeSpan> Parse(IEnumerable<string> settings)
    {
        var fresh = new Dictionary<string, TimeSpan>();
        foreach (var setting in settings)
        {
            var parts = setting.Split('=');
            fresh[parts[0]] = Duration.Parse(parts[1])!.Value;
        }
        return fresh;
    }
}
