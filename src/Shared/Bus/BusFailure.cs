namespace Maplog.Bus;

/// <summary>Why the bus does not carry anything now.</summary>
/// <param name="Sentence">For a person.</param>
/// <param name="IsRefusal">Whether RabbitMQ is there and says no, so that a person must change something.</param>
/// <param name="Cause">What was thrown, if anything was.</param>
internal sealed record BusFailure(string Sentence, bool IsRefusal, Exception? Cause);
