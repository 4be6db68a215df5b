using Xunit;

namespace Maplog.Tests.Integration.Replicating;

internal static class Wait
{
    public static async Task UntilAsync(Func<bool> condition, TimeSpan patience, Func<string> complaint)
    {
        for (var left = patience; !condition(); left -= TimeSpan.FromMilliseconds(50))
        {
            if (left < TimeSpan.Zero)
                Assert.Fail(complaint());
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
