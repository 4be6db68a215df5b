using Maplog.Hooking;
using Xunit;

namespace Maplog.Tests.Unit.Hooking;

public sealed class CoverageTests
{
    [Fact]
    public void What_no_hook_can_see_is_no_blindness_of_a_probe() => Assert.DoesNotContain(Coverage.Summary(Probe.Fentry), Coverage.IsBlindness);

    [Theory]
    [InlineData(Probe.Kprobe, 3)]
    [InlineData(Probe.Syscall, 2)]
    public void What_a_better_probe_would_see_is_blindness(Probe probe, int sentences) => Assert.Equal(sentences, Coverage.Summary(probe).Count(Coverage.IsBlindness));
}
