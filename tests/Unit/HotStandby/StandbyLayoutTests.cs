using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Maplog.HotStandby;
using Xunit;

namespace Maplog.Tests.Unit.HotStandby;

/// <summary>bpf/hot_standby.h is the contract; the C# side says the same.</summary>
public sealed partial class StandbyLayoutTests
{
    private static readonly string Header = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "hot_standby.h"));

    [Fact]
    public void Groups_members_and_counts_are_laid_out_as_in_C()
    {
        Assert.Equal(FieldsOf("standby_group"), FieldsOf(typeof(GroupRecord)));
        Assert.Equal(FieldsOf("standby_member"), FieldsOf(typeof(MemberRecord)));
        Assert.Equal(FieldsOf("standby_port"), FieldsOf(typeof(PortRecord)));
        Assert.Equal(FieldsOf("standby_count"), FieldsOf(typeof(CountRecord)));
        Assert.Equal([64, 128, 64, 32], new[] { Marshal.SizeOf<GroupRecord>(), Marshal.SizeOf<MemberRecord>(), Marshal.SizeOf<PortRecord>(), Marshal.SizeOf<CountRecord>() });
    }

    [Fact]
    public void What_is_judged_of_a_member_is_in_one_cache_line() =>
        Assert.Equal(64, (int)Marshal.OffsetOf<MemberRecord>(nameof(MemberRecord.Name)));

    [Fact]
    public void The_numbers_of_policies_failbacks_and_faults_are_those_of_C()
    {
        Assert.Equal(GroupRecord.CurrentLayout, Constant("MAPLOG_STANDBY_LAYOUT"));
        Assert.Equal(GroupRecord.Slots, Constant("MAPLOG_STANDBY_SLOTS"));
        Assert.Equal((int)StandbyPolicy.Ranked, Constant("STANDBY_RANKED"));
        Assert.Equal((int)StandbyPolicy.Weighted, Constant("STANDBY_WEIGHTED"));
        Assert.Equal((int)StandbyPolicy.Sticky, Constant("STANDBY_STICKY"));
        Assert.Equal((int)Failback.AtOnce, Constant("STANDBY_AT_ONCE"));
        Assert.Equal((int)Failback.Held, Constant("STANDBY_HELD"));
        Assert.Equal((int)StandbyFaults.Weightless, Constant("STANDBY_WEIGHTLESS"));
        Assert.Equal((int)StandbyFaults.Ineligible, Constant("STANDBY_INELIGIBLE"));
        Assert.Equal((int)StandbyFaults.Unhealthy, Constant("STANDBY_UNHEALTHY"));
        Assert.Equal((int)StandbyFaults.Draining, Constant("STANDBY_DRAINING"));
        Assert.Equal((int)StandbyFaults.Stale, Constant("STANDBY_STALE"));
    }

    private static int Constant(string name) =>
        int.Parse(Regex.Match(Header, $@"\b{name}\s*=?\s*(\d+)").Groups[1].Value, CultureInfo.InvariantCulture);

    // Names without underscores, lower case, with offsets; what is not used has none.
    private static List<(string, int)> FieldsOf(string structure)
    {
        var body = Regex.Match(Header, $@"struct {structure} {{(.*?)\n}};", RegexOptions.Singleline).Groups[1].Value;
        var fields = new List<(string, int)>();
        var offset = 0;
        foreach (Match field in Field().Matches(body))
        {
            var size = field.Groups[1].Value switch { "__u64" => 8, "__u32" => 4, _ => 1 };
            offset = (offset + size - 1) / size * size;
            fields.Add((field.Groups[2].Value.Replace("_", "", StringComparison.Ordinal), offset));
            offset += size * (field.Groups[3].Success ? int.Parse(field.Groups[3].Value, CultureInfo.InvariantCulture) : 1);
        }
        return [.. fields.Where(f => !f.Item1.StartsWith("unused", StringComparison.Ordinal))];
    }

    private static List<(string, int)> FieldsOf(Type type) =>
        [.. type.GetFields().Where(f => !f.IsLiteral && !f.Name.StartsWith("Unused", StringComparison.Ordinal))
            .Select(f => (f.Name.ToLowerInvariant(), (int)Marshal.OffsetOf(type, f.Name)))];

    [GeneratedRegex(@"(__u64|__u32|char)\s+(\w+)(?:\[(\d+)\])?;")]
    private static partial Regex Field();
}
