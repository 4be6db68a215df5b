using System.CommandLine;
using System.Globalization;
using Maplog.Configuration;

namespace Maplog.Cli.Settings;

/// <summary>An option that takes a duration: with a unit (<c>10s</c>, <c>5m</c>), or a whole number of the unit that its help names.</summary>
internal static class DurationOption
{
    /// <param name="name">The option.</param>
    /// <param name="unit">The unit of a number without a unit.</param>
    /// <param name="unitName">The name of that unit in the help.</param>
    /// <param name="description">The purpose.</param>
    /// <param name="min">The shortest.</param>
    /// <param name="max">The longest.</param>
    public static Option<TimeSpan?> Make(string name, TimeSpan unit, string unitName, string description, TimeSpan min, TimeSpan max) => new(name)
    {
        Description = description,
        HelpName = unitName,
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            var duration = long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= max / unit ? number * unit : Duration.Parse(given);
            if (duration >= min && duration <= max)
                return duration;
            result.AddError($"{name}: '{given}' is not a duration from {Text(min)} to {Text(max)}: write a number of {unitName.ToLowerInvariant()}, or a number with its unit, as 10s or 5m.");
            return null;
        },
    };

    private static string Text(TimeSpan span) => span.TotalSeconds >= 1 && span.Milliseconds == 0 || span == TimeSpan.Zero ? $"{span.TotalSeconds:0}s" : $"{span.TotalMilliseconds:0}ms";
}
