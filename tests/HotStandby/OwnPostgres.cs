using Maplog.Servers;
using Maplog.Tests.HotStandby;

[assembly: AssemblyFixture(typeof(OwnPostgres))]

namespace Maplog.Tests.HotStandby;

/// <summary>Debian's own server, in the tests' network namespace: no container's port can be reached from there.</summary>
public sealed class OwnPostgres : TestPostgres
{
    protected override Task<bool> TakesContainerAsync() => Task.FromResult(false);
}
