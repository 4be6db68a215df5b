using Maplog.Tests.Kernel;

[assembly: AssemblyFixture(typeof(NothingIsLeaked))]
[assembly: CollectionBehavior(DisableTestParallelization = true)] // descriptors and pins are counted

namespace Maplog.Tests.Kernel;

/// <summary>A descriptor or a pin that outlives the tests fails the run.</summary>
public sealed class NothingIsLeaked : IDisposable
{
    private readonly int _before = KernelFds.Open().Count;

    public void Dispose()
    {
        var left = KernelFds.Open();
        Assert.True(left.Count == _before, $"Descriptors were left open: {string.Join(", ", left)}");
        Assert.Empty(Directory.EnumerateDirectories("/sys/fs/bpf", "maplog_test_*"));
    }
}
