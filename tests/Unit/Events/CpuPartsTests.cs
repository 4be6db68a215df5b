using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Events;

public sealed class CpuPartsTests
{
    [Fact]
    public void One_of_128_CPUs_values_takes_12_bytes_and_not_1024()
    {
        var before = new byte[128 * 8];
        var after = Changed(before, 8, 77);
        Assert.Equal(12, CpuParts.SizeOf(before, after, 8));
        var payload = Payload(before, after, 8);
        Assert.Equal(37 + 4 + 4 + 12, payload.Length);
        Assert.Equal(37 + 4 + 4 + 1024, ChangePayload.Size(4, 4, after.Length));
        Assert.Equal(after, Merged(before, payload));
    }

    [Fact]
    public void The_value_before_with_the_parts_is_the_value_after_whatever_changed()
    {
        var dice = new Random(19);
        for (var i = 0; i < 2000; i++)
        {
            var (cpus, partSize) = (dice.Next(1, 130), dice.Next(1, 9) * 8);
            var before = new byte[cpus * partSize];
            dice.NextBytes(before);
            var after = Changed(before, partSize, [.. Enumerable.Range(0, cpus).Where(_ => dice.Next(cpus) < 3)]);
            if (CpuParts.SizeOf(before, after, partSize) is not { } size)
                continue;
            Assert.InRange(size, 2, after.Length * 2 / 3);
            Assert.Equal(after, Merged(before, Payload(before, after, partSize)));
        }
    }

    [Fact]
    public void A_value_of_which_most_changed_is_told_whole()
    {
        var before = new byte[4 * 8];
        Assert.Equal(2 + 10, CpuParts.SizeOf(before, Changed(before, 8, 3), 8));
        Assert.Null(CpuParts.SizeOf(before, Changed(before, 8, 0, 1, 2), 8));
        Assert.Null(CpuParts.SizeOf(before, Changed(before, 8, 0, 1, 2, 3), 8));
        Assert.Null(CpuParts.SizeOf([], before, 8));
    }

    [Fact]
    public void A_change_that_wrote_what_was_there_has_no_part()
    {
        byte[] value = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        var payload = Payload(value, value, 8);
        Assert.Equal(0, ChangePayload.Read(payload).Parts.Count);
        Assert.Equal(value, Merged(value, payload));
    }

    [Fact]
    public void Damaged_parts_are_refused()
    {
        var before = new byte[64];
        var payload = Payload(before, Changed(before, 8, 2), 8);
        Assert.Throws<FormatException>(() => ChangePayload.Read(payload.AsSpan(0, payload.Length - 1)).Key.ToArray());
        Assert.Throws<FormatException>(() => ChangePayload.Read(payload.AsSpan(0, 45)).Key.ToArray());
        Assert.Throws<InvalidOperationException>(() => ChangePayload.Read(payload).Value.ToArray());
        Assert.True(ChangePayload.Read(payload).Parts.Fit(24));
        Assert.False(ChangePayload.Read(payload).Parts.Fit(16));
    }

    private static byte[] Changed(byte[] before, int partSize, params int[] cpus)
    {
        var after = before.ToArray();
        foreach (var cpu in cpus)
            after[cpu * partSize]++;
        return after;
    }

    private static byte[] Payload(byte[] before, byte[] after, int partSize)
    {
        var payload = new byte[ChangePayload.Size(4, 4, CpuParts.SizeOf(before, after, partSize)!.Value)];
        ChangePayload.WriteParts(payload, new ChangeHeader { Origin = Origin.Program }, "bash"u8, [1, 2, 3, 4], before, after, partSize);
        return payload;
    }

    private static byte[] Merged(byte[] before, byte[] payload)
    {
        var change = ChangePayload.Read(payload);
        Assert.True(change.HasParts);
        Assert.Equal([1, 2, 3, 4], change.Key.ToArray());
        var value = before.ToArray();
        change.Parts.CopyTo(value);
        return value;
    }
}
