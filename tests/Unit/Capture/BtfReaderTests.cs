using Maplog.Capture.Watching;
using Maplog.Events;
using Maplog.Tests.Unit.Btf;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class BtfReaderTests
{
    [Fact]
    public void A_map_that_is_made_again_has_the_fields_of_its_BTF_and_another_has_its_own()
    {
        var builder = new BtfBuilder();
        uint number = builder.Integer("unsigned int", 4), large = builder.Integer("unsigned long", 8);
        var btf = builder.Build();
        var reader = new BtfReader();
        var first = reader.Describe(Opened(1, btf, number, 4));
        var again = reader.Describe(Opened(2, btf, number, 4));
        var other = reader.Describe(Opened(3, btf, large, 8));
        var none = reader.Describe(Opened(4, null, 0, 8));
        Assert.Equal(4, first.Fields?.Key?.Size);
        Assert.Same(first.Fields, again.Fields);
        Assert.Equal((2u, 8), (again.MapId, other.Fields?.Key?.Size));
        Assert.Null(none.Fields);
    }

    [Fact]
    public void A_map_that_is_made_again_has_the_kernels_bytes_of_its_BTF_parsed_once()
    {
        var builder = new BtfBuilder();
        var number = builder.Integer("unsigned int", 4);
        var spinLock = builder.Struct("bpf_spin_lock", 4, ("val", number, 0));
        var locked = builder.Struct("value", 8, ("lock", spinLock, 0), ("n", number, 32));
        var btf = builder.Build();
        var reader = new BtfReader();
        var first = reader.KernelBytesOf(Opened(1, btf, locked, 8));
        Assert.NotNull(first);
        Assert.Same(first, reader.KernelBytesOf(Opened(2, btf, locked, 8)));
        Assert.Null(reader.KernelBytesOf(Opened(3, btf, number, 4)));
    }

    private static MapOpened Opened(uint id, byte[]? btf, uint type, int size) => new(1, id, "boot", "m", new MapShape(1, size, size, 1, 0, 0), btf, type, type, "fentry", [], "node");
}
