using System.CommandLine;
using System.Globalization;

namespace Maplog.Cli.Settings;

/// <summary>An option that takes a whole number, and reports anything else with a sentence.</summary>
internal static class NumberOption
{
    public static Option<long?> Make(string name, string argument, string description, long least, long most = long.MaxValue) => new(name)
    {
        Description = description,
        HelpName = argument,
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
                return number;
            result.AddError($"{name}: '{given}' is not a whole number from {least}{(most == long.MaxValue ? "" : $" to {most}")}.");
            return null;
        },
    };
}
