using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Maplog.Demo;

/// <summary>How the demo runs.</summary>
/// <param name="Duration">How long the map is changed. Default: 30 seconds.</param>
/// <param name="Rate">Changes per second. Default: 5000.</param>
/// <param name="Probe">The capture's probe. Default: auto.</param>
/// <param name="Log">Connection string of a Postgres database that is there already. Default: a private server.</param>
/// <param name="Bus">URI of a RabbitMQ that is there already. Default: a private server.</param>
internal sealed record DemoOptions(TimeSpan Duration, int Rate, string Probe, string? Log, string? Bus)
{
    public const string Usage = """
        usage: demo [SECONDS] [--rate CHANGES-PER-SECOND] [--probe auto|fentry|kprobe|syscall] [--log CONNECTION] [--bus URI]
          --log, --bus  a Postgres database and a RabbitMQ that are there already; what the demo logs stays in them
        """;

    private const int LeastSeconds = 3, MostSeconds = 3600, MostRate = 200_000;

    public static bool TryParse(string[] arguments, [NotNullWhen(true)] out DemoOptions? options, [NotNullWhen(false)] out string? mistake)
    {
        (options, mistake) = (null, null);
        int seconds = 30, rate = 5000;
        var probe = "auto";
        string? log = null, bus = null;
        for (var i = 0; i < arguments.Length && mistake is null; i++)
        {
            var name = arguments[i];
            var isOption = name.StartsWith("--", StringComparison.Ordinal);
            if (isOption && ++i == arguments.Length)
                mistake = $"give a value after {name}.";
            else if (name == "--probe")
                probe = arguments[i];
            else if (name == "--log")
                log = arguments[i];
            else if (name == "--bus")
                bus = arguments[i];
            else if (name == "--rate")
                mistake = Number(arguments[i], 1, MostRate, "changes per second", out rate);
            else if (isOption)
                mistake = $"there is no option {name}.";
            else
                mistake = Number(name, LeastSeconds, MostSeconds, "seconds", out seconds);
        }
        if (mistake is null && probe is not ("auto" or "fentry" or "kprobe" or "syscall"))
            mistake = $"'{probe}' is no probe.";
        if (mistake is not null)
            return false;
        options = new DemoOptions(TimeSpan.FromSeconds(seconds), rate, probe, log, bus);
        return true;
    }

    private static string? Number(string text, int least, int most, string what, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most
            ? null
            : $"'{text}' is not a number of {what} from {least} to {most}.";
}
