namespace Maplog.Replicator.Protocol;

/// <summary>The next action of a replica.</summary>
public enum StepKind
{
    /// <summary>None: the replica has these versions already, or must not trust the message.</summary>
    Nothing = 0,

    /// <summary>Apply the versions From to To of the present block.</summary>
    Apply,

    /// <summary>Read the versions From to To from the log and apply them; then offer the present block again.</summary>
    ReadLog,

    /// <summary>Ask the log for the stream's head and offer the answer.</summary>
    PollHead,

    /// <summary>The log is not the log that the replica followed (restored, or failed over with loss): build the replica again.</summary>
    Rebuild,
}
