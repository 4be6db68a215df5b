using CsCheck;
using Maplog.Bus;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Bus;

public sealed class HeartbeatTests
{
    private static readonly Gen<Heartbeat> Any = Blocks.Any.Select(b => new Heartbeat(b.Stream, b.Epoch, new StreamVersion(b.First - 1), b.Newest));

    [Fact]
    public void A_heartbeat_comes_out_as_it_went_in() =>
        Any.Sample(sent =>
        {
            Assert.True(Heartbeat.TryRead(sent.ToBytes(), out var beat, out var error), error);
            Assert.Equal(sent, beat);
        });

    [Fact]
    public void Every_damaged_byte_and_every_cut_is_noticed() =>
        Any.Select(Gen.Byte[1, 255]).Sample((sent, damage) =>
        {
            var bytes = sent.ToBytes();
            for (var at = 0; at < bytes.Length; at++)
            {
                Refused(bytes.AsSpan(0, at));
                bytes[at] ^= damage;
                Refused(bytes);
                bytes[at] ^= damage;
            }
        });

    private static void Refused(ReadOnlySpan<byte> bytes)
    {
        Assert.False(Heartbeat.TryRead(bytes, out _, out var error));
        Assert.EndsWith(".", error, StringComparison.Ordinal);
    }
}
