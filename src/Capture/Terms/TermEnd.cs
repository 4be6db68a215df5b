namespace Maplog.Capture.Terms;

/// <summary>Why a writer's term is over.</summary>
internal enum TermEnd
{
    /// <summary>The daemon was asked to stop.</summary>
    Stopped = 0,

    /// <summary>A promotion asked it to give way: all that it recorded is logged.</summary>
    GaveWay,

    /// <summary>A later epoch has begun.</summary>
    Deposed,

    /// <summary>The writer before was not quite done when the term began: it begins again.</summary>
    TooEarly,

    /// <summary>The log went away while the term began.</summary>
    LogAway,

    /// <summary>The server of the log has lost commits: the next term goes on where the log ends, and tells of it.</summary>
    CommitsLost,

    /// <summary>The hook was taken away, or over, while the term ran: the next term attaches it again, and tells of it.</summary>
    HookLost,
}
