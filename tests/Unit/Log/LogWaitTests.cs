using Maplog.Log;
using Xunit;

namespace Maplog.Tests.Unit.Log;

public sealed class LogWaitTests
{
    [Fact]
    public async Task Each_reason_is_told_once_and_the_pauses_grow_up_to_five_seconds()
    {
        var said = new List<string>();
        var clock = new Clock();
        var wait = new LogWait(said.Add, clock);
        foreach (var (doing, reason) in new[] { ("A", "away"), ("B", "away"), ("B", "refused"), ("A", "refused"), ("A", "away"), ("A", "away"), ("A", "away"), ("A", "away") })
            await wait.AfterAsync(new LogException($"{doing}: {reason}", reason: reason), TestContext.Current.CancellationToken);
        Assert.Equal(["A: away", "B: refused", "A: away"], said);
        Assert.Equal([100, 200, 400, 800, 1600, 3200, 5000, 5000], clock.Pauses);

        Assert.True(wait.IsUnderWay);
        wait.Over();
        Assert.False(wait.IsUnderWay);
        await wait.AfterAsync(new LogException("A: away", reason: "away"), TestContext.Current.CancellationToken);
        Assert.Equal((4, 100), (said.Count, clock.Pauses[^1]));
    }

    /// <summary>Time that is over as soon as somebody waits for it.</summary>
    private sealed class Clock : TimeProvider
    {
        public List<double> Pauses { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pauses.Add(dueTime.TotalMilliseconds);
            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
