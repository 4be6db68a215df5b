using System.Globalization;

namespace Maplog.Demo;

/// <summary>How far a replica is behind, in words.</summary>
internal static class Lag
{
    public static string Of(ReplicaSample replica) => replica.Behind <= 0
        ? "level"
        : string.Create(CultureInfo.InvariantCulture, $"{replica.Behind:N0} behind, {(replica.Age < TimeSpan.FromSeconds(1) ? $"{replica.Age.TotalMilliseconds:N0} ms" : $"{replica.Age.TotalSeconds:N1} s")}");
}
