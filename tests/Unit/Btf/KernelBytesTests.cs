using Maplog.Btf;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Btf;

public sealed class KernelBytesTests
{
    private readonly BtfBuilder _btf = new();

    [Fact]
    public void A_lock_and_a_timer_are_cleared_and_all_else_stays()
    {
        var (u32, u64) = (_btf.Integer("unsigned int", 4), _btf.Integer("unsigned long long", 8));
        var spinLock = _btf.Struct("bpf_spin_lock", 4, ("val", u32, 0));
        var timer = _btf.Struct("bpf_timer", 16, ("__opaque", _btf.Array(u64, 2), 0));
        var type = _btf.Struct("place", 32, ("packets", u32, 0), ("lock", spinLock, 32), ("bytes", u64, 64), ("timer", timer, 128));
        Assert.Equal("ffffffff00000000ffffffffffffffff" + new string('0', 32), Cleared(type, 32));
    }

    [Fact]
    public void Pointers_that_the_kernel_counts_are_cleared_in_arrays_and_inner_structs_too_and_plain_pointers_stay()
    {
        var u32 = _btf.Integer("unsigned int", 4);
        var task = _btf.Struct("task_struct", 4, ("pid", u32, 0));
        var counted = _btf.Pointer(_btf.Alias(BtfKind.TypeTag, task, "kptr"));
        var plain = _btf.Pointer(task);
        var user = _btf.Pointer(_btf.Alias(BtfKind.TypeTag, task, "user"));
        var inner = _btf.Struct("inner", 24, ("plain", plain, 0), ("counted", counted, 64), ("user", user, 128));
        var named = _btf.Alias(BtfKind.Typedef, inner, "inner_t");
        var type = _btf.Struct("outer", 64, ("inner", named, 0), ("many", _btf.Array(counted, 2), 192), ("end", _btf.Array(plain, 3), 320));
        Assert.Equal(F(8) + Z(8) + F(8) + Z(16) + F(24), Cleared(type, 64));
    }

    [Fact]
    public void Global_data_has_them_at_the_places_of_its_variables()
    {
        var u32 = _btf.Integer("unsigned int", 4);
        var root = _btf.Struct("bpf_rb_root", 16, ("__opaque", _btf.Array(u32, 4), 0));
        var type = _btf.Section(".data", 40, (_btf.Variable("count", u32), 0, 4), (_btf.Variable("root", root), 8, 16));
        Assert.Equal(F(8) + Z(16) + F(16), Cleared(type, 40));
    }

    [Fact]
    public void Of_a_per_cpu_map_each_slot_is_cleared_whole_values_and_one_cpus_alike()
    {
        var (u32, u8) = (_btf.Integer("unsigned int", 4), _btf.Integer("unsigned char", 1));
        var counter = _btf.Struct("bpf_refcount", 4, ("val", u32, 0));
        var type = _btf.Struct("value", 5, ("count", counter, 0), ("flag", u8, 32));
        var bytes = Of(type, new MapShape(5, 4, 5, 8, 0, 3))!;
        Assert.Equal(string.Concat(Enumerable.Repeat(Z(4) + F(4), 3)), Cleared(bytes, 24));
        Assert.Equal(Z(4) + F(4), Cleared(bytes, 8));
        Assert.Equal(Z(4) + F(1), Cleared(bytes, 5));
    }

    [Fact]
    public void Where_the_kernel_owns_nothing_there_is_nothing_to_clear()
    {
        var u32 = _btf.Integer("unsigned int", 4);
        var mine = _btf.Struct("my_bpf_spin_lock", 4, ("val", u32, 0));
        var spinLock = _btf.Struct("bpf_spin_lock", 4, ("val", u32, 0));
        var type = _btf.Struct("value", 8, ("mine", mine, 0), ("also", _btf.Union(4, ("either", spinLock)), 32));
        Assert.Null(Of(type, Hash(8)));
        Assert.Null(Of(spinLock, Hash(8)));
        Assert.Null(KernelBytes.Of(null, 1, Hash(4)));
        Assert.Null(KernelBytes.Of(_btf.Build(), 0, Hash(4)));
        Assert.Null(KernelBytes.Of([.. "bpf_spin_lock"u8], 1, Hash(4)));
    }

    private static string F(int bytes) => new('f', bytes * 2);

    private static string Z(int bytes) => new('0', bytes * 2);

    private static MapShape Hash(int valueSize) => new(1, 4, valueSize, 8, 0, 0);

    private KernelBytes? Of(uint type, MapShape shape) => KernelBytes.Of(_btf.Build(), type, shape);

    private string Cleared(uint type, int size) => Cleared(Of(type, Hash(size))!, size);

    private static string Cleared(KernelBytes bytes, int size)
    {
        var value = new byte[size];
        value.AsSpan().Fill(0xff);
        bytes.Clear(value);
        return Convert.ToHexStringLower(value);
    }
}
