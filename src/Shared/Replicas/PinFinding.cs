namespace Maplog.Replicas;

/// <param name="State">What became of the pins.</param>
/// <param name="Sentence">Unless they are held: what was found.</param>
public readonly record struct PinFinding(PinState State, string Sentence = "");
