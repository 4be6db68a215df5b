using Maplog.Events;

namespace Maplog.Log;

/// <summary>A source: its latest term, as its own history tells it, and the lease, which says who may write it.</summary>
/// <param name="Source">Its name.</param>
/// <param name="Epoch">The latest term; 0: nobody has written yet.</param>
/// <param name="Node">The host that began it; null: nobody.</param>
/// <param name="Since">When it began, by that host's clock.</param>
/// <param name="Owner">The node that the lease names; null: nobody ever had it.</param>
/// <param name="IsHeld">Whether a daemon holds the lease now.</param>
/// <param name="StandsBy">The nodes whose captures wait for a promotion, by name.</param>
/// <param name="Troubles">What keeps its writer from being ready, sentences.</param>
public sealed record SourceStatus(string Source, Epoch Epoch, string? Node, DateTimeOffset? Since, string? Owner = null, bool IsHeld = false, IReadOnlyList<string>? StandsBy = null, IReadOnlyList<string>? Troubles = null)
{
    /// <summary>Whether somebody writes it, as far as anybody should, and whether it logs all that it should.</summary>
    public bool IsWell => IsWritten && Troubles is null or [];

    /// <summary>Whether somebody writes it, as far as anybody should.</summary>
    public bool IsWritten => Owner is null || IsHeld;
}
