using System.CommandLine;
using Maplog.Cli.Settings;
using Maplog.Events;

namespace Maplog.Cli.TimeTravel;

/// <summary>A moment in a stream's past; nothing set means the head.</summary>
/// <param name="At">A time.</param>
/// <param name="Version">A version.</param>
/// <param name="Before">An event: its version, its id, or a kind, which means its last event.</param>
internal sealed record PointInTime(DateTimeOffset? At = null, StreamVersion? Version = null, string? Before = null)
{
    /// <summary>A word of the command line that is a version (only digits) or a time.</summary>
    public static PointInTime Parse(string text, TimeProvider time) =>
        long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var version)
            ? new PointInTime(Version: new StreamVersion(version))
            : new PointInTime(At: Moment.Parse(text, time));

    /// <summary>The options <c>--at</c>, <c>--version</c> and <c>--before</c> of a verb.</summary>
    public sealed class Options
    {
        public Option<string?> At { get; } = new("--at") { Description = $"The map at this time: {Moment.Forms}; in the local zone, unless a zone is named. Stored time never goes back, so a time is exactly one version.", HelpName = "TIME" };

        public Option<long?> Version { get; } = NumberOption.Make("--version", "N", "The map after this version.", 0);

        public Option<string?> Before { get; } = new("--before") { Description = "The map before this event: its version, its id, or a kind (deleted, gap_found ...), which means the last event of that kind.", HelpName = "EVENT" };

        public PointInTime Read(ParseResult arguments, TimeProvider time)
        {
            var at = arguments.GetValue(At);
            var version = arguments.GetValue(Version);
            var before = arguments.GetValue(Before);
            if ((at is null ? 0 : 1) + (version is null ? 0 : 1) + (before is null ? 0 : 1) > 1)
                throw new UsageException("--at, --version and --before each name a moment: give only one of them.");
            return new PointInTime(at is null ? null : Moment.Parse(at, time), version is { } number ? new StreamVersion(number) : null, before);
        }
    }
}
