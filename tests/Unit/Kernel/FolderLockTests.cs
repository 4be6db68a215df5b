using Maplog.Kernel;
using Xunit;

namespace Maplog.Tests.Unit.Kernel;

public sealed class FolderLockTests
{
    private static readonly string[] Locks =
    [
        "1: POSIX  ADVISORY  WRITE 811 00:1d:1034 0 EOF",
        "2: FLOCK  ADVISORY  WRITE 4242 00:1d:1034 0 EOF",
        "2: -> FLOCK  ADVISORY  WRITE 4243 00:1d:1034 0 EOF",
        "3: FLOCK  ADVISORY  WRITE 0 00:1d:77 0 EOF",
        "4: FLOCK  ADVISORY  WRITE 5151 fe:01:1034 0 EOF",
    ];

    [Fact]
    public void The_holder_of_a_lock_is_found_by_device_and_inode() =>
        Assert.Equal([4242, 5151], [FolderLock.HolderOf(new PinPlace(0x1dUL << 32, 1034), Locks), FolderLock.HolderOf(new PinPlace(0xfe | 1UL << 32, 1034), Locks)]);

    [Fact]
    public void A_folder_that_nobody_has_locked_has_no_holder() =>
        Assert.Null(FolderLock.HolderOf(new PinPlace(0x1dUL << 32, 1035), Locks));

    [Fact]
    public void A_process_that_cannot_be_seen_from_here_is_not_named() =>
        Assert.Null(FolderLock.HolderOf(new PinPlace(0x1dUL << 32, 77), Locks));

    [Fact]
    public void The_kernel_names_this_process_as_the_holder_of_a_lock_that_it_took()
    {
        var folder = Directory.CreateTempSubdirectory("maplog-lock-");
        using (var held = FolderLock.TryTake(folder.FullName))
        {
            Assert.True(held!.IsOf(folder.FullName));
            Assert.Null(FolderLock.TryTake(folder.FullName));
            Assert.Equal(Environment.ProcessId, FolderLock.HolderOf(folder.FullName));
            folder.Delete();
            Directory.CreateDirectory(folder.FullName);
            Assert.False(held.IsOf(folder.FullName));
        }
        Assert.Null(FolderLock.HolderOf(folder.FullName));
        folder.Delete();
    }
}
