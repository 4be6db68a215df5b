using Maplog.Log;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>What all replicas of this daemon share.</summary>
/// <param name="Log">The log.</param>
/// <param name="Heads">Tells what the log has.</param>
/// <param name="Pins">Tells when a pin leads elsewhere.</param>
/// <param name="Registry">Where captures of this host look what is a replica.</param>
/// <param name="CheckEvery">How often a replica is compared with the log.</param>
/// <param name="Time">The clock.</param>
internal sealed record ReplicaHost(LogStore Log, HeadWatch Heads, PinWatch Pins, WriterRegistry Registry, TimeSpan CheckEvery, TimeProvider Time);
