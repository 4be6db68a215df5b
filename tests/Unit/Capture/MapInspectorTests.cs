using Maplog.Capture.Pipeline;
using Maplog.Events;
using Maplog.Kernel;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class MapInspectorTests
{
    // A hundred small maps took as many megabytes of room, and a slow machine a minute to make it.
    [Theory]
    [InlineData(24, 64, 10, 16_384, 10)]
    [InlineData(24, 64, 1_000_000, 16_384, 16_384)]
    [InlineData(24, 64, 1_000_000, 256, 256)]
    [InlineData(24, 65_536, 1_000_000, 16_384, 63)]
    [InlineData(4, 16 << 20, 1_000_000, 16_384, 1)]
    [InlineData(8, 8, 2_147_483_648, 16_384, 16_384)]
    [InlineData(8, 8, uint.MaxValue, 256, 256)]
    [InlineData(4, int.MaxValue, 1, 16_384, 1)]
    public void A_map_is_read_with_room_for_no_more_entries_than_it_may_have_and_than_fit_into_a_chunk(int keySize, int valueSize, uint entries, int most, int room) =>
        Assert.Equal(room, MapInspector.RoomFor(new MapShape((int)MapType.Hash, keySize, valueSize, entries, 0, 0), most));
}
