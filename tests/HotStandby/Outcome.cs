namespace Maplog.Tests.HotStandby;

public enum Outcome
{
    Answered,

    /// <summary>Nobody listens, says the kernel.</summary>
    Refused,

    /// <summary>Ended without an answer.</summary>
    Reset,

    /// <summary>Nothing came, for ten seconds.</summary>
    Unanswered,
}
