using System.Reflection;
using System.Runtime.InteropServices;
using Maplog.Btf;
using Maplog.Events;
using Maplog.Hooking;
using Maplog.Kernel;
using Xunit;

namespace Maplog.Tests.Unit.Hooking;

/// <summary>The compiled hook is the contract, by its BTF; the C# side says the same.</summary>
public sealed class RecordLayoutTests
{
    private static readonly BtfTypes Types = ReadTypes();

    [Fact]
    public void Each_structure_that_the_hook_shares_is_laid_out_as_in_C()
    {
        AssertSame<RecordHeader>("maplog_record", RecordHeader.Size);
        AssertSame<MapSeen>("maplog_map_seen", MapSeen.Size);
        AssertSame<Losses>("maplog_losses", Losses.Size);
        AssertSame<HookConstants>("maplog_constants", Marshal.SizeOf<HookConstants>());
    }

    [Fact]
    public void A_watched_name_is_laid_out_as_in_C()
    {
        Assert.Equal([("bits", 0, 4), ("name", 4, 16)], FieldsOf("maplog_name"));
        Assert.Equal(NamePattern.Size, Type("maplog_name").Size);
        Assert.Equal(NamePattern.Size, NamePattern.Parse("a*").ToBytes().Length);
        Assert.Equal(8, BitConverter.ToInt32(NamePattern.Parse("a*").ToBytes()));
    }

    [Fact]
    public void The_hooks_setting_is_laid_out_as_in_C() => Assert.Equal([("syscalltypes", 0, 4)], FieldsOf("maplog_config"));

    [Fact]
    public void The_values_of_the_hooks_maps_have_the_sizes_that_C_sharp_reads()
    {
        Assert.Equal((4, Losses.Size), SizesOf("maplog_losses"));
        Assert.Equal((4, sizeof(uint)), SizesOf("maplog_verdicts"));
        Assert.Equal((4, sizeof(uint)), SizesOf("maplog_beyond"));
        Assert.Equal((NamePattern.Size, sizeof(uint)), SizesOf("maplog_names"));
        Assert.Equal((4, sizeof(ulong)), SizesOf("maplog_writers"));
    }

    [Fact]
    public void The_numbers_of_operations_flags_and_origins_are_those_of_C()
    {
        Assert.Equal(Numbers<RecordOperation>(), NumbersOf("maplog_operation"));
        Assert.Equal(Numbers<RecordFlags>().Where(n => n != 0), NumbersOf("maplog_flag"));
        Assert.Equal([(long)Origin.Program, (long)Origin.Syscall, (long)Origin.Eviction], NumbersOf("maplog_origin"));
        Assert.Equal((long)RecordOperation.Evict, Number("maplog_operation", "MAPLOG_EVICT"));
        Assert.Equal((long)RecordFlags.AllCpus, Number("maplog_flag", "MAPLOG_ALL_CPUS"));
        Assert.Equal((long)Origin.Syscall, Number("maplog_origin", "MAPLOG_BY_SYSCALL"));
    }

    [Fact]
    public void The_layouts_number_the_verdicts_and_the_rooms_are_those_of_C()
    {
        Assert.Equal(CaptureImage.Layout, Number("maplog_version", "MAPLOG_LAYOUT"));
        Assert.Equal(CaptureHook.VerdictsInArray, Number("maplog_verdict_room", "MAPLOG_VERDICTS"));
        Assert.Equal(NamePattern.Max, Number("maplog_name_room", "MAPLOG_NAMES"));
        Assert.Equal(CaptureHook.Slots, Number("maplog_slot_room", "MAPLOG_SLOTS"));
        Assert.Equal(0, Number("maplog_verdict", "MAPLOG_NOT_JUDGED"));
        Assert.Equal(CaptureHook.NotWatched, Number("maplog_verdict", "MAPLOG_IGNORED"));
        Assert.Equal(CaptureHook.WatchedFrom, Number("maplog_verdict", "MAPLOG_WATCHED"));
    }

    private static void AssertSame<T>(string structure, int size) where T : struct
    {
        Assert.Equal((size, size), (Type(structure).Size, Marshal.SizeOf<T>()));
        Assert.Equal(FieldsOf(structure), FieldsOf(typeof(T)));
    }

    private static BtfTypes ReadTypes()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, CaptureImage.Read());
            return BtfTypes.Parse(ObjectBtf.Read(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static BtfType Type(string name) => Types[Types.Find(name).First(id => Types[id].Kind is BtfKind.Struct or BtfKind.Enum)];

    private static long Number(string enumeration, string name) => Type(enumeration).Values.Single(v => v.Value == name).Key;

    private static IEnumerable<long> NumbersOf(string enumeration) => Type(enumeration).Values.Keys.Order();

    private static IEnumerable<long> Numbers<T>() where T : struct, Enum => Enum.GetValues<T>().Select(v => Convert.ToInt64(v)).Order();

    private static (int Key, int Value) SizesOf(string map)
    {
        var (key, value) = Types.FindMap(map)!.Value;
        return (Types.SizeOf(key), Types.SizeOf(value));
    }

    // Names without underscores, lower case, with offsets and sizes.
    private static List<(string, int, int)> FieldsOf(string structure) =>
        [.. Type(structure).Members.Select(m => (m.Name.Replace("_", "", StringComparison.Ordinal), (int)m.BitOffset / 8, Types.SizeOf(m.Type)))];

    private static List<(string, int, int)> FieldsOf(Type type) =>
        [.. type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(f => (NameOf(f), (int)Marshal.OffsetOf(type, f.Name), SizeOf(f.FieldType)))];

    // A record's field is its property's, in angle brackets.
    private static string NameOf(FieldInfo field) => field.Name.Split('>')[0].TrimStart('_', '<').ToLowerInvariant();

    private static int SizeOf(Type type) => Marshal.SizeOf(type.IsEnum ? Enum.GetUnderlyingType(type) : type);
}
