namespace Maplog.HotStandby;

/// <summary>A group or a member cannot be what it was asked to be. The message is a sentence: what was being done, to which group, why, and what to do.</summary>
public sealed class StandbyException(string message, Exception? inner = null) : Exception(message, inner);
