using System.Diagnostics;
using System.Globalization;

namespace Maplog.Demo;

/// <summary>A standby that was away: waits for the moment at which it is level with the others, and says so once.</summary>
/// <param name="screen">Where.</param>
/// <param name="name">Of the standby.</param>
/// <param name="cursor">Where it was stopped.</param>
/// <param name="head">Where the log was when it was started again.</param>
/// <param name="near">Versions to the head that count as level.</param>
internal sealed class CatchUp(IScreen screen, string name, long cursor, long head, long near)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private bool _isDone;

    public void See(Sample sample)
    {
        var replica = sample.Replicas.First(r => r.Name == name);
        if (_isDone || !replica.IsRunning || replica.Cursor < head || replica.Behind > near)
            return;
        _isDone = true;
        screen.Say(string.Create(CultureInfo.InvariantCulture,
            $"{name} has caught up {_clock.Elapsed.TotalSeconds:N1} s after its start: it went on from version {cursor:N0} of the log and read {replica.Cursor - cursor:N0} changes"));
    }
}
