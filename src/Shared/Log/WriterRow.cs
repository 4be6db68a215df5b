using Maplog.Events;

namespace Maplog.Log;

/// <summary>Who writes a source.</summary>
/// <param name="Source">The source.</param>
/// <param name="Node">The node whose daemon may hold the lease.</param>
/// <param name="Epoch">Of the last lease taken.</param>
/// <param name="Holder">The daemon that has it; null: it was given back.</param>
/// <param name="Since">When it took it, by Postgres' clock.</param>
/// <param name="IsLive">Whether the lease has not run out.</param>
/// <param name="Successor">The node that a promotion asks it to give way to.</param>
/// <param name="IsWhole">Whether the last to give it back had logged all that it recorded.</param>
public sealed record WriterRow(string Source, string Node, Epoch Epoch, string? Holder, DateTimeOffset Since, bool IsLive, string? Successor, bool IsWhole)
{
    /// <summary>Whether a daemon holds the lease now.</summary>
    public bool IsHeld => Holder is not null && IsLive;
}
