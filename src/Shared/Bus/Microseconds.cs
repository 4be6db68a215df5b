namespace Maplog.Bus;

/// <summary>Times as the bus and Postgres have them: whole microseconds since 1970 UTC.</summary>
internal static class Microseconds
{
    public static long Of(DateTimeOffset time) => (time.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>False if no time of this calendar (years 1 to 9999) is meant.</summary>
    public static bool TryRead(long microseconds, out DateTimeOffset time)
    {
        var inRange = microseconds >= Of(DateTimeOffset.MinValue) && microseconds <= Of(DateTimeOffset.MaxValue);
        time = inRange ? DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond) : default;
        return inRange;
    }
}
