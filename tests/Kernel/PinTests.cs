using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

public sealed class PinTests : IDisposable
{
    private readonly PinFolder _pins = new();

    public void Dispose() => _pins.Dispose();

    [Fact]
    public void A_pinned_map_outlives_its_maker()
    {
        uint id;
        using (var map = BpfMap.Create("pinned", MapType.Hash, 4, 4, 4))
        {
            id = map.Info.Id;
            map.Update(Bytes.Of(1), Bytes.Of(2));
            map.Pin(_pins["ct_map"]);
        }

        using var again = BpfMap.OpenPinned(_pins["ct_map"]);
        Assert.Equal(id, again.Info.Id);
        Assert.Equal(Bytes.Of(2), again.ReadAll()[1]);
        Assert.True(Bpffs.Unpin(_pins["ct_map"]));
        Assert.False(Bpffs.Unpin(_pins["ct_map"]));
    }

    [Fact]
    public void A_pin_is_not_replaced_unless_asked()
    {
        using var first = BpfMap.Create("first", MapType.Hash, 4, 4, 4);
        using var second = BpfMap.Create("second", MapType.Hash, 4, 4, 4);
        first.Pin(_pins["m"]);
        var error = Assert.Throws<KernelException>(() => second.Pin(_pins["m"]));
        Assert.Equal(Errno.Eexist, error.Errno);
        Assert.Contains("something is pinned there already", error.Message);
        Assert.Single(Directory.EnumerateFileSystemEntries(_pins.Folder));
        second.Pin(_pins["m"], replace: true);
        using var now = BpfMap.OpenPinned(_pins["m"]);
        Assert.Equal(second.Info.Id, now.Info.Id);
        Assert.Single(Directory.EnumerateFileSystemEntries(_pins.Folder));
    }

    [Fact]
    public void A_pin_that_is_not_there_is_said_so()
    {
        var error = Assert.Throws<KernelException>(() => BpfMap.OpenPinned(_pins["absent"]));
        Assert.Equal(Errno.Enoent, error.Errno);
        Assert.Contains(_pins["absent"], error.Message);
        Assert.Contains("nothing is pinned there", error.Message);
        Assert.EndsWith("(ENOENT)", error.Message);
    }

    [Fact]
    public void A_file_and_a_folder_are_no_pins()
    {
        Assert.Contains("not a pin", Assert.Throws<KernelException>(() => BpfMap.OpenPinned("/etc/passwd")).Message);
        Assert.Contains("not a pin", Assert.Throws<KernelException>(() => BpfMap.OpenPinned(_pins.Folder)).Message);
    }

    [Fact]
    public void A_pin_cannot_be_put_anywhere()
    {
        using var map = BpfMap.Create("nowhere", MapType.Hash, 4, 4, 4);
        Assert.Contains("no names with dots", Assert.Throws<KernelException>(() => map.Pin(_pins["a.b"])).Message);
        Assert.Contains("not on a BPF file system", Assert.Throws<KernelException>(() => map.Pin(Path.Combine(Path.GetTempPath(), "maplog_pin"))).Message);
        Assert.Contains("does not exist", Assert.Throws<KernelException>(() => map.Pin(_pins["absent/m"])).Message);
        Assert.Contains("mount -t bpf", Assert.Throws<KernelException>(() => Bpffs.EnsureMounted(Path.Combine(Path.GetTempPath(), "maplog_pins"))).Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_pins.Folder));
    }
}
