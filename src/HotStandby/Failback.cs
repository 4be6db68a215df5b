namespace Maplog.HotStandby;

/// <summary>When a member of a better rank takes over from one that serves. Of ranked groups only.</summary>
public enum Failback
{
    /// <summary>As soon as it is well.</summary>
    AtOnce = 0,

    /// <summary>When the one that serves is no longer well, or an operator promotes another.</summary>
    Held = 1,
}
