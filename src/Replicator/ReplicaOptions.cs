using System.ComponentModel.DataAnnotations;
using Maplog.Events;

namespace Maplog.Replicator;

/// <summary>One replica.</summary>
public sealed class ReplicaOptions : IValidatableObject
{
    private static readonly TimeSpan LeastBound = Observing.ReplicaStatus.Fresh;

    /// <summary>The source of the map to rebuild. Default: the Source of the section above.</summary>
    public string? Source { get; set; }

    /// <summary>The map's name in the log. No default.</summary>
    public string Map { get; set; } = "";

    /// <summary>The pin of the replica, an absolute path on a BPF file system; the cursor is pinned next to it. No default.</summary>
    public string Pin { get; set; } = "";

    /// <summary>What to do if the source's map returns with another shape. Default: <c>Stop</c>.</summary>
    public NewShape OnNewShape { get; set; } = NewShape.Stop;

    /// <summary>
    /// The replica is ready while it has been behind, or without news of its stream, for at most this time. Default: the MaxLag of the
    /// section above.
    /// </summary>
    public TimeSpan? MaxLag { get; set; }

    /// <summary>
    /// The replica is ready while it is at most this many versions behind. Default: the MaxLagVersions of the section above.
    /// </summary>
    public long? MaxLagVersions { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Source is { } source && !StreamName.IsSource(source))
            yield return new ValidationResult($"'{source}' is not a source name: use 1 to {StreamName.MaxSourceLength} of a-z, 0-9, '-' and '_', beginning with a letter or digit.", [nameof(Source)]);
        if (Map.Length == 0)
            yield return new ValidationResult("it is missing: name the map to rebuild, with its name in the log (`maplog maps` lists the names).", [nameof(Map)]);
        else if (!StreamName.IsMap(Map))
            yield return new ValidationResult($"'{Map}' is not a map name: use 1 to 64 of A-Z, a-z, 0-9, '_', '.' and '-'.", [nameof(Map)]);
        foreach (var wrong in BoundMistakes(MaxLag, MaxLagVersions))
            yield return wrong;
        if (PinMistake() is { } mistake)
            yield return new ValidationResult(mistake, [nameof(Pin)]);
    }

    /// <summary>The mistakes in the bounds of the lag, of one replica or of all.</summary>
    internal static IEnumerable<ValidationResult> BoundMistakes(TimeSpan? maxLag, long? maxLagVersions)
    {
        if (maxLag is { } time && (time < LeastBound || time > TimeSpan.FromDays(1)))
            yield return new ValidationResult($"{time} is out of range: use {LeastBound} to 1.00:00:00. A level replica gets this news every second, or every two seconds without a bus.", [nameof(MaxLag)]);
        if (maxLagVersions < 0)
            yield return new ValidationResult($"{maxLagVersions} is out of range: use 0 or more versions.", [nameof(MaxLagVersions)]);
    }

    private string? PinMistake()
    {
        if (Pin.Length == 0)
            return "it is missing: give the path of the replica's pin, for example /sys/fs/bpf/ct_map.";
        if (!Path.IsPathRooted(Pin) || Path.EndsInDirectorySeparator(Pin))
            return $"'{Pin}' is not the absolute path of a pin: write it as /sys/fs/bpf/NAME.";
        return Pin.Contains('.', StringComparison.Ordinal) ? $"'{Pin}' has a dot, but a BPF file system accepts no names with dots." : null;
    }
}
