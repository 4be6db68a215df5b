using System.Text.RegularExpressions;
using Xunit;

namespace Maplog.Tests.Unit;

/// <summary>ARCHITECTURE.md's directions, read off the sources.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Sources = Path.Combine(Root(), "src");

    // A room of src/Shared, and the rooms it may know.
    private static readonly Dictionary<string, string[]> Knows = new()
    {
        ["Kernel"] = [],
        ["Events"] = [],
        ["Btf"] = ["Events"],
        ["Configuration"] = [],
        ["Folding"] = ["Events"],
        ["Hooking"] = ["Kernel"],
        ["Log"] = ["Events"],
        ["Bus"] = ["Events"],
        ["Walking"] = ["Kernel", "Events"],
        ["Snapshots"] = ["Events", "Folding", "Log"],
        ["Replicas"] = ["Kernel", "Events", "Folding"],
    };

    public static TheoryData<string> Rooms => [.. Folders(Path.Combine(Sources, "Shared"))];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_of_Shared_knows_only_the_rooms_below_it(string room)
    {
        Assert.True(Knows.ContainsKey(room), $"src/Shared/{room} is a new room: say in ArchitectureTests and ARCHITECTURE.md what it may know.");
        var used = FilesIn(Path.Combine(Sources, "Shared", room)).SelectMany(Uses).Where(name => name != room).Distinct().Order();
        Assert.Empty(used.Except(Knows[room]));
    }

    [Fact]
    public void The_daemons_and_the_command_do_not_know_each_other()
    {
        string[] programs = ["Capture", "Replicator", "Cli"];
        foreach (var program in programs)
            Assert.DoesNotContain(FilesIn(Path.Combine(Sources, program)).SelectMany(Uses), name => name != program && programs.Contains(name));
    }

    [Fact]
    public void Hot_standby_knows_of_Shared_the_kernel_room_alone()
    {
        Assert.Empty(FilesIn(Path.Combine(Sources, "HotStandby")).SelectMany(Uses).Distinct().Except(["HotStandby", "Kernel"]));
        Assert.Empty(FilesIn(Path.Combine(Sources, "HotStandby.AspNetCore")).SelectMany(Uses).Distinct().Except(["HotStandby"]));
    }

    [Fact]
    public void Hot_standby_brings_in_the_kernel_room_and_no_package()
    {
        Assert.Equal(["../Shared/Kernel/Kernel.csproj"], ReferencesOf("HotStandby/HotStandby.csproj"));
        Assert.Empty(ReferencesOf("Shared/Kernel/Kernel.csproj"));
    }

    [Fact]
    public void Only_the_daemons_know_Observing_which_needs_ASP_NET_Core()
    {
        foreach (var room in new[] { "Shared", "Cli", "HotStandby" })
        {
            Assert.DoesNotContain("Observing", FilesIn(Path.Combine(Sources, room)).SelectMany(Uses));
            Assert.DoesNotContain("AspNetCore", File.ReadAllText(Path.Combine(Sources, room, $"{room}.csproj")), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Only_Native_calls_into_C() =>
        Assert.Equal(["Native.cs"], FilesIn(Sources).Where(f => ImportPattern().IsMatch(File.ReadAllText(f))).Select(Path.GetFileName));

    [Fact]
    public void The_rooms_that_define_events_and_folds_do_no_input_or_output()
    {
        var files = FilesIn(Path.Combine(Sources, "Shared", "Events")).Concat(FilesIn(Path.Combine(Sources, "Shared", "Folding")));
        Assert.DoesNotContain(files, f => InputOutputPattern().IsMatch(File.ReadAllText(f)));
    }

    [Fact]
    public void Nobody_asks_the_wall_clock_behind_TimeProviders_back() =>
        Assert.DoesNotContain(FilesIn(Sources), f => ClockPattern().IsMatch(File.ReadAllText(f)));

    private static IEnumerable<string> ReferencesOf(string project) => ReferencePattern().Matches(File.ReadAllText(Path.Combine(Sources, project))).Select(m => m.Groups[1].Value);

    private static IEnumerable<string> Uses(string file) => UsingPattern().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value);

    private static IEnumerable<string> FilesIn(string folder) =>
        Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Where(f => !BuildOutput().IsMatch(f));

    private static IEnumerable<string> Folders(string folder) =>
        Directory.EnumerateDirectories(folder).Select(f => Path.GetFileName(f)!).Where(f => f is not ("bin" or "obj"));

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Replication.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run outside the repository, whose sources they read.");
        return folder;
    }

    [GeneratedRegex(@"^(?:global )?using (?:static )?Maplog\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex UsingPattern();

    [GeneratedRegex("<(?:Project|Package)Reference Include=\"([^\"]+)\"")]
    private static partial Regex ReferencePattern();

    [GeneratedRegex(@"\[(?:Library|Dll)Import\(")]
    private static partial Regex ImportPattern();

    [GeneratedRegex(@"\b(?:File|Directory|FileStream|Socket|HttpClient|NpgsqlConnection|Process|Console)\.|System\.IO(?!\.Hashing)|System\.Net")]
    private static partial Regex InputOutputPattern();

    [GeneratedRegex(@"DateTime(?:Offset)?\.(?:Utc)?Now\b")]
    private static partial Regex ClockPattern();

    [GeneratedRegex("[/](?:bin|obj)[/]")]
    private static partial Regex BuildOutput();
}
