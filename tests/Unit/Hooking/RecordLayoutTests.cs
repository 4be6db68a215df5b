using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Maplog.Events;
using Maplog.Hooking;
using Xunit;

namespace Maplog.Tests.Unit.Hooking;

/// <summary>bpf/record.h is the contract; the C# side says the same.</summary>
public sealed partial class RecordLayoutTests
{
    private static readonly string Header = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "record.h"));

    [Fact]
    public void The_record_header_is_laid_out_as_in_C()
    {
        Assert.Equal(RecordHeader.Size, Marshal.SizeOf<RecordHeader>());
        Assert.Equal(FieldsOf("maplog_record"), FieldsOf(typeof(RecordHeader)));
    }

    [Fact]
    public void The_description_of_a_map_first_seen_is_laid_out_as_in_C()
    {
        Assert.Equal(MapSeen.Size, Marshal.SizeOf<MapSeen>());
        Assert.Equal(FieldsOf("maplog_map_seen"), FieldsOf(typeof(MapSeen)));
    }

    [Fact]
    public void The_loss_counters_are_laid_out_as_in_C() =>
        Assert.Equal([("ringfull", 0), ("unreadable", 8), ("toolong", 16)], FieldsOf("maplog_losses"));

    [Fact]
    public void A_watched_name_is_laid_out_as_in_C() =>
        Assert.Equal([("bits", 0), ("name", 4)], FieldsOf("maplog_name"));

    [Fact]
    public void What_the_programs_are_told_of_the_kernel_is_laid_out_as_in_C()
    {
        Assert.Equal([("possiblecpus", 0), ("bpfmapfops", 8), ("percpuoffset", 16), ("preemptcount", 24), ("pcpuhot", 32)], FieldsOf("maplog_constants"));
        Span<byte> bytes = stackalloc byte[Marshal.SizeOf<HookConstants>()];
        new HookConstants(1, 2, 3, 4, 5).Write(bytes);
        Assert.Equal([1, 2, 3, 4, 5], MemoryMarshal.Cast<byte, ulong>(bytes).ToArray());
    }

    [Fact]
    public void The_numbers_of_operations_flags_and_origins_are_those_of_C()
    {
        Assert.Equal((int)RecordOperation.Update, Constant("MAPLOG_UPDATE"));
        Assert.Equal((int)RecordOperation.Delete, Constant("MAPLOG_DELETE"));
        Assert.Equal((int)RecordOperation.Evict, Constant("MAPLOG_EVICT"));
        Assert.Equal((int)RecordOperation.MapSeen, Constant("MAPLOG_MAP_SEEN"));
        Assert.Equal((int)RecordFlags.OneCpu, Constant("MAPLOG_ONE_CPU"));
        Assert.Equal((int)RecordFlags.AllCpus, Constant("MAPLOG_ALL_CPUS"));
        Assert.Equal((int)RecordFlags.Unsure, Constant("MAPLOG_UNSURE"));
        Assert.Equal((int)Origin.Program, Constant("MAPLOG_BY_PROGRAM"));
        Assert.Equal((int)Origin.Syscall, Constant("MAPLOG_BY_SYSCALL"));
        Assert.Equal((int)Origin.Eviction, Constant("MAPLOG_BY_EVICTION"));
        Assert.Equal(CaptureHook.Slots, Constant("MAPLOG_SLOTS"));
        Assert.Equal(NamePattern.Max, Constant("MAPLOG_NAMES"));
    }

    private static int Constant(string name) =>
        int.Parse(Regex.Match(Header, $@"\b{name}\s*=?\s*(\d+)").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);

    // Names without underscores, lower case, with offsets: C's natural alignment.
    private static List<(string, int)> FieldsOf(string structure)
    {
        var body = Regex.Match(Header, $@"struct {structure} {{(.*?)\n}};", RegexOptions.Singleline).Groups[1].Value;
        var fields = new List<(string, int)>();
        var offset = 0;
        foreach (Match field in Field().Matches(body))
        {
            var size = field.Groups[1].Value switch { "__u64" => 8, "__u32" => 4, "__u16" => 2, _ => 1 };
            offset = (offset + size - 1) / size * size;
            fields.Add((field.Groups[2].Value.Replace("_", "", StringComparison.Ordinal), offset));
            offset += size * (field.Groups[3].Success ? int.Parse(field.Groups[3].Value, System.Globalization.CultureInfo.InvariantCulture) : 1);
        }
        return fields;
    }

    private static List<(string, int)> FieldsOf(Type type) =>
        [.. type.GetFields(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic)
            .Select(f => (f.Name.TrimStart('_').ToLowerInvariant(), (int)Marshal.OffsetOf(type, f.Name)))];

    [GeneratedRegex(@"(__u64|__u32|__u16|__u8|char)\s+(\w+)(?:\[(\d+)\])?;")]
    private static partial Regex Field();
}
