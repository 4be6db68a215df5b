namespace Maplog.Replicas;

/// <param name="State">The state of the pins.</param>
/// <param name="Sentence">The finding, unless the pins are unchanged.</param>
public readonly record struct PinFinding(PinState State, string Sentence = "");
