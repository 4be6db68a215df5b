using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

public sealed class SystemTests
{
    [Fact]
    public void Root_lacks_no_capability() => Assert.Empty(Privileges.Lacking());

    [Fact]
    public void The_boot_has_an_id() => Assert.NotEqual(Guid.Empty, Guid.Parse(Boot.Id));

    [Fact]
    public void There_is_a_possible_CPU_for_each_that_runs() => Assert.InRange(PossibleCpus.Count, Environment.ProcessorCount, 8192);

    [Fact]
    public void An_error_is_named_as_in_errno_3()
    {
        var error = new KernelException("Cannot do this: it is forbidden.", 1);
        Assert.Equal("Cannot do this: it is forbidden. (EPERM)", error.Message);
        Assert.Equal("ENOTSUPP", Errno.Name(524));
        Assert.Equal("libbpf FORMAT", Errno.Name(4001));
        Assert.Equal("errno 5000", Errno.Name(5000));
    }
}
