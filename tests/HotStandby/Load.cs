using System.Collections.Concurrent;
using System.Net;

namespace Maplog.Tests.HotStandby;

/// <summary>New connections, or datagrams each from a socket of its own, a thousand a second or more, from a few clients at once, until it is stopped.</summary>
internal sealed class Load
{
    private readonly Task[] _clients;
    private readonly ConcurrentDictionary<Outcome, int> _outcomes = new();
    private readonly ConcurrentDictionary<int, int> _answeredBy = new();
    private volatile bool _stopped;

    public Load(IPEndPoint address, int clients = 4, bool datagrams = false) =>
        _clients = [.. Enumerable.Range(0, clients).Select(_ => Task.Run(() => AskOnAsync(() => datagrams ? Client.TryDatagramAsync(address) : Client.TryAsync(address))))];

    public int Answered => Count(Outcome.Answered);

    public int Refused => Count(Outcome.Refused);

    public int Reset => Count(Outcome.Reset);

    public int Unanswered => Count(Outcome.Unanswered);

    public int All => _outcomes.Values.Sum();

    public int AnsweredBy(int pid) => _answeredBy.GetValueOrDefault(pid);

    public async Task StopAsync()
    {
        _stopped = true;
        await Task.WhenAll(_clients);
    }

    /// <summary>Waits until a process has answered so many.</summary>
    public async Task UntilAnsweredByAsync(int pid, int count)
    {
        for (var tries = 0; AnsweredBy(pid) < count; tries++)
        {
            Assert.True(tries < 5000, $"Process {pid} has answered {AnsweredBy(pid)} connections only: {this}");
            await Task.Delay(2);
        }
    }

    public override string ToString() => $"{All} connections: {Answered} answered, {Refused} refused, {Reset} reset, {Unanswered} unanswered";

    private int Count(Outcome outcome) => _outcomes.GetValueOrDefault(outcome);

    private async Task AskOnAsync(Func<Task<Reply>> ask)
    {
        while (!_stopped)
        {
            var reply = await ask();
            _outcomes.AddOrUpdate(reply.Outcome, 1, (_, n) => n + 1);
            if (reply.Outcome == Outcome.Answered)
                _answeredBy.AddOrUpdate(reply.Pid, 1, (_, n) => n + 1);
            await Task.Delay(1); // the services need a processor to start on
        }
    }
}
