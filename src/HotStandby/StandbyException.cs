namespace Maplog.HotStandby;

/// <summary>
/// A group or a member cannot do what was asked. The message is a sentence: the attempt, the group, the reason, and what to do.
/// </summary>
public sealed class StandbyException(string message, Exception? inner = null) : Exception(message, inner);
