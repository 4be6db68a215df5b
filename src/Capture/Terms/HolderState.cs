namespace Maplog.Capture.Terms;

/// <summary>Whether the daemon that holds a lease still runs.</summary>
internal enum HolderState
{
    /// <summary>It runs in another container, or under another kernel: its lease will run out, or be renewed.</summary>
    Unknown = 0,

    Alive,

    Dead,
}
