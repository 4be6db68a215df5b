using Maplog.Hooking;
using Xunit;

namespace Maplog.Tests.Unit.Hooking;

public sealed class HookOwnerTests
{
    private static readonly HookOwner Owner = new(Guid.NewGuid(), Guid.NewGuid(), 4242, 7, HookOwner.OwnPidNamespace, 123_456_789_012, "lb-1-a", "maplog on db:5432, schema maplog");

    [Fact]
    public void A_signature_is_read_as_it_was_written()
    {
        var bytes = new byte[HookOwner.Size];
        bytes.AsSpan().Fill(0xff);
        Owner.Write(bytes);
        Assert.Equal(Owner, HookOwner.Read(bytes));
    }

    [Fact]
    public void Names_that_find_no_room_are_cut_between_two_characters()
    {
        var bytes = new byte[HookOwner.Size];
        (Owner with { Node = new string('n', 64), Place = new string('ä', 300) }).Write(bytes);
        var read = HookOwner.Read(bytes);
        Assert.Equal(new string('n', 64), read.Node);
        Assert.Equal(new string('ä', 196), read.Place);
    }

    [Fact]
    public void A_process_is_named_by_the_number_that_it_has_here()
    {
        Assert.Equal("process 99 of node lb-1-a", Owner.Describe(visible: 99));
        Assert.Equal("process 4242 of node lb-1-a", Owner.Describe(visible: null));
    }

    [Fact]
    public void A_process_of_another_container_is_named_by_its_node_and_by_its_own_number() =>
        Assert.Equal("a process in another container (node lb-1-a, process 4242 by that container's own numbers)", (Owner with { PidNamespace = 1 }).Describe(visible: null));
}
