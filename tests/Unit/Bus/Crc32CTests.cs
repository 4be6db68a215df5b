using Maplog.Bus;
using Xunit;

namespace Maplog.Tests.Unit.Bus;

public sealed class Crc32CTests
{
    [Fact]
    public void The_checksum_is_that_of_RFC_3720()
    {
        Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Of(new byte[32]));
    }
}
