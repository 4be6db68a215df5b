using System.ComponentModel.DataAnnotations;
using Maplog.Events;
using Maplog.Replicas;
using Maplog.Replicator.Observing;

namespace Maplog.Replicator;

/// <summary>The replicas of this daemon. Section <c>Maplog:Replicator</c>.</summary>
public sealed class ReplicatorOptions : IValidatableObject
{
    public const string Section = "Maplog:Replicator";

    /// <summary>The source of all replicas without a source of their own. No default.</summary>
    public string? Source { get; set; }

    /// <summary>The replicas, at least one.</summary>
    public List<ReplicaOptions> Replicas { get; set; } = [];

    /// <summary>
    /// A replica is ready (<c>/readyz</c>, <c>maplog status</c>) while it has been behind, or without news of its stream, for at most this
    /// time; a replica may have its own bound. Default: 10 seconds.
    /// </summary>
    public TimeSpan MaxLag { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A replica is ready while it is also at most this many versions behind. Default: none, only the time counts.</summary>
    public long? MaxLagVersions { get; set; }

    /// <summary>
    /// The folder in which this daemon registers its writes for captures on the same host, which must use the same folder. Default:
    /// <c>/sys/fs/bpf/maplog</c>.
    /// </summary>
    public string RegistryFolder { get; set; } = WriterRegistry.DefaultFolder;

    /// <summary>
    /// How often a replica is compared with the log, to find and correct changes by other programs. The comparison runs less often if it
    /// would take more than a hundredth of the time. 0: never. Default: 1 minute.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00", ErrorMessage = "use 00:00:00 to 1.00:00:00.")]
    public TimeSpan CheckEvery { get; set; } = TimeSpan.FromMinutes(1);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Source is { } source && !StreamName.IsSource(source))
            yield return new ValidationResult($"'{source}' is not a source name: use 1 to {StreamName.MaxSourceLength} of a-z, 0-9, '-' and '_', beginning with a letter or digit.", [nameof(Source)]);
        if (Replicas.Count == 0)
            yield return new ValidationResult("there is no replica: give the map to rebuild and its pin, for example --source lb-1 --map ct_map --pin /sys/fs/bpf/ct_map.", [nameof(Replicas)]);
        if (!Path.IsPathRooted(RegistryFolder))
            yield return new ValidationResult($"'{RegistryFolder}' is not an absolute path: write it as /sys/fs/bpf/NAME.", [nameof(RegistryFolder)]);
        foreach (var wrong in ReplicaOptions.BoundMistakes(MaxLag, MaxLagVersions))
            yield return wrong;
        var taken = new HashSet<string>();
        for (var i = 0; i < Replicas.Count; i++)
        {
            var replica = Replicas[i];
            if (replica.Source is null && Source is null)
                yield return new ValidationResult("it is missing: name the source of the map, here or for all replicas (--source).", [$"{nameof(Replicas)}:{i}:{nameof(ReplicaOptions.Source)}"]);
            if (replica.Pin.Length > 0 && !(taken.Add(replica.Pin) & taken.Add(ReplicaMap.CursorPin(replica.Pin))))
                yield return new ValidationResult($"'{replica.Pin}', or the pin of its cursor, is also the pin of another replica: every replica needs its own pin.", [$"{nameof(Replicas)}:{i}:{nameof(ReplicaOptions.Pin)}"]);
        }
    }

    /// <summary>When a replica is ready.</summary>
    internal LagBound BoundOf(ReplicaOptions replica) => new(replica.MaxLag ?? MaxLag, replica.MaxLagVersions ?? MaxLagVersions);

    /// <summary>The stream of a replica; only when the options are valid.</summary>
    public StreamName StreamOf(ReplicaOptions replica) => new(replica.Source ?? Source!, replica.Map);
}
