namespace Maplog.Log;

/// <param name="State">How the schema stands.</param>
/// <param name="Sentence">The same for a person, with what to do.</param>
public sealed record SchemaCheck(SchemaState State, string Sentence);
