using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maplog.HotStandby.AspNetCore;

/// <summary>The application's place in its group: it is taken when Kestrel binds its first address.</summary>
internal sealed partial class StandbyMembership(IOptions<StandbyOptions> options, IServiceProvider services, ILogger<StandbyMembership> log) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private StandbyMember? _member;

    /// <summary>Null until an address is bound.</summary>
    public StandbyMember? Member => Volatile.Read(ref _member);

    /// <exception cref="StandbyException">The process cannot become a member.</exception>
    public StandbyMember Join()
    {
        lock (_lock)
        {
            if (_member is not null)
                return _member;
            var wanted = options.Value;
            wanted.Complain ??= sentence => Complaint(log, sentence);
            if (wanted.Healthy is null && services.GetService<HealthCheckService>() is { } checks)
                wanted.Healthy = async cancellation => (await checks.CheckHealthAsync(cancellation)).Status != HealthStatus.Unhealthy;
            var member = StandbyMember.Join(wanted);
            Joined(log, member.Name, member.Group.Name, member.Slot);
            return _member = member;
        }
    }

    public ValueTask DisposeAsync() => Member?.DisposeAsync() ?? ValueTask.CompletedTask;

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Member {Member} of hot-standby group {Group}, in slot {Slot}.")]
    private static partial void Joined(ILogger log, string member, string group, int slot);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Sentence}")]
    private static partial void Complaint(ILogger log, string sentence);
}
