namespace Maplog.Replicator.Protocol;

/// <summary>What a replica has to do next.</summary>
public enum StepKind
{
    /// <summary>Nothing: it is known already, or not to be trusted.</summary>
    Nothing = 0,

    /// <summary>Apply the versions From to To of the block at hand.</summary>
    Apply,

    /// <summary>Read the versions From to To from the log and apply them; a block at hand is then offered again.</summary>
    ReadLog,

    /// <summary>Ask the log for the stream's head and offer the answer.</summary>
    PollHead,

    /// <summary>The log is not the one the replica followed (restored, or failed over with loss): build the replica anew.</summary>
    Rebuild,
}
