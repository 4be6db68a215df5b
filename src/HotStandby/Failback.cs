namespace Maplog.HotStandby;

/// <summary>When a member of better rank takes over from the serving member. Only for ranked groups.</summary>
public enum Failback
{
    /// <summary>As soon as the better member is well.</summary>
    AtOnce = 0,

    /// <summary>When the serving member is no longer well, or an operator promotes another member.</summary>
    Held = 1,
}
