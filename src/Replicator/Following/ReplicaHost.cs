using Maplog.Log;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>Objects that all replicas of this daemon share.</summary>
/// <param name="Log">The log.</param>
/// <param name="Heads">Reports the heads of the log.</param>
/// <param name="Pins">Reports when a pin leads elsewhere.</param>
/// <param name="Registry">By which captures of this host recognise replicas.</param>
/// <param name="CheckEvery">How often a replica is compared with the log.</param>
/// <param name="Time">The clock.</param>
internal sealed record ReplicaHost(LogStore Log, HeadWatch Heads, PinWatch Pins, WriterRegistry Registry, TimeSpan CheckEvery, TimeProvider Time);
