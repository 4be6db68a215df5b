using System.Text;
using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Cli;

public sealed class OutputTests
{
    [Fact]
    public void In_a_pipe_a_table_is_aligned_columns_without_a_colour()
    {
        var text = Written(isForPeople: false, terminal =>
        {
            var table = new TextTable("Stream", "Max");
            table.Add("lb-1/ct_map", "16");
            table.Add("x/y", "1024");
            table.Write(terminal);
        });
        Assert.Equal("STREAM       MAX\nlb-1/ct_map  16\nx/y          1024\n", text);
    }

    [Fact]
    public void On_a_terminal_a_table_is_drawn_and_takes_brackets_for_what_they_are()
    {
        var text = Written(isForPeople: true, terminal =>
        {
            var table = new TextTable("Stream");
            table.Add("[red]x[/]");
            table.Write(terminal);
        });
        Assert.Contains("╭", text, StringComparison.Ordinal);
        Assert.Contains("[red]x[/]", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(200)]
    public void A_table_has_room_on_every_terminal_and_splits_no_word(int width)
    {
        string[] words = ["lb-1/ct_map", "node-a.example.net", "/sys/fs/bpf/replicas/ct_map", "123456789", "following", "2026-03-01T12:00:06.000000Z", "3 scan_found, 1 reboot"];
        var text = Written(isForPeople: true, terminal =>
        {
            var table = new TextTable("Replica of", "Node", "Pin", "Version", "State", "Last event", "Gaps in the last hour");
            table.Add(words);
            table.Write(terminal);
        }, width);
        Assert.All(words.SelectMany(w => w.Split(' ')), word => Assert.Contains(word, text, StringComparison.Ordinal));
        Assert.All(text.Split('\n'), line => Assert.InRange(System.Text.RegularExpressions.Regex.Replace(line, "\e\\[[0-9;]*m", "").Length, 0, width));
        Assert.Equal(width == 200, text.Contains('╭'));
    }

    [Fact]
    public void A_table_that_nearly_has_room_folds_its_cells_between_words()
    {
        var text = Written(isForPeople: true, terminal =>
        {
            var table = new TextTable("Stream", "Gaps in the last hour");
            table.Add("lb-1/ct_map", "12 scan_found (4711 lost), 3 reboot, 1 ring_full (12 lost)");
            table.Write(terminal);
        }, width: 60);
        Assert.Contains("╭", text, StringComparison.Ordinal);
        Assert.All(["lb-1/ct_map", "scan_found", "(4711"], word => Assert.Contains(word, text, StringComparison.Ordinal));
    }

    [Fact]
    public void Wide_letters_take_their_two_cells_in_a_pipe()
    {
        var text = Written(isForPeople: false, terminal =>
        {
            var table = new TextTable("Node", "Pin");
            table.Add("地図", "a");
            table.Add("abcde", "b");
            table.Write(terminal);
        });
        Assert.Equal("NODE   PIN\n地図   a\nabcde  b\n", text);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nothing_that_is_printed_steers_the_terminal(bool isForPeople)
    {
        const string Evil = "x\e]0;title\a\u202e\r";
        var text = Written(isForPeople, terminal =>
        {
            var table = new TextTable("Node");
            table.Add(Evil + "\nfalse row");
            table.Write(terminal);
            terminal.Out.WriteLine($"removed {Evil}");
            terminal.Json(json => json.WriteStringValue(Evil));
            var payload = new byte[ChangePayload.Size(4, 1, 0)];
            ChangePayload.Write(payload, new ChangeHeader { Origin = Origin.Program }, "a\n\e["u8, [7], []);
            using var printer = new EventPrinter(terminal, null, asJson: false, Descriptions.None);
            printer.Print(new LoggedEvent(new StreamVersion(5), DateTimeOffset.UnixEpoch, EventKind.EntryDeleted, payload));
        });
        Assert.DoesNotContain("\e]", text, StringComparison.Ordinal);
        Assert.True(text.IndexOfAny(['\a', '\r', '\u202e']) < 0);
        Assert.DoesNotContain("\nfalse row", text, StringComparison.Ordinal);
        // The JSON says the same as before.
        var json = text.Split('\n').Single(line => line.StartsWith('"'));
        Assert.Equal(Evil, System.Text.Json.JsonSerializer.Deserialize<string>(json));
        Assert.Contains("a\\u000a\\u001b[[0]", text, StringComparison.Ordinal);
    }

    [Fact]
    public void No_line_of_a_complaint_passes_for_another()
    {
        using var error = new StringWriter();
        using (var terminal = new Terminal(Stream.Null, error, isForPeople: false))
            terminal.Complain("The pin x\nmaplog: all is well\e[1A is gone.");
        Assert.Equal("maplog: The pin x\n  maplog: all is well\\u001b[1A is gone.\n", error.ToString());
    }

    [Fact]
    public void CSV_has_quotes_where_they_are_needed_and_no_formula()
    {
        var text = Written(isForPeople: false, terminal =>
        {
            var table = new TextTable("Stream", "Comm");
            table.Add("a,b", "say \"x\"");
            table.Add("=1+1", "@SUM(A1)");
            table.Add("-5", "+cmd|' /C calc'!A0");
            table.Add("-", "two\nlines");
            table.WriteCsv(terminal.Out);
        });
        Assert.Equal("Stream,Comm\n\"a,b\",\"say \"\"x\"\"\"\n\"'=1+1\",\"'@SUM(A1)\"\n-5,\"'+cmd|' /C calc'!A0\"\n-,two\\u000alines\n", text);
    }

    [Theory]
    [InlineData(0, "0 entries")]
    [InlineData(1, "1 entry")]
    [InlineData(2, "2 entries")]
    public void Things_are_counted_as_people_do(int number, string text) => Assert.Equal(text, Count.Of(number, "entry", "entries"));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Events_have_colours_on_a_terminal_only(bool isForPeople)
    {
        var text = Written(isForPeople, terminal =>
        {
            var payload = new byte[ChangePayload.Size(0, 1, 0)];
            ChangePayload.Write(payload, new ChangeHeader { Origin = Origin.ReadBack }, [], [7], []);
            using var printer = new EventPrinter(terminal, null, asJson: false, Descriptions.None);
            printer.Print(new LoggedEvent(new StreamVersion(5), DateTimeOffset.UnixEpoch, EventKind.EntryEvicted, payload));
        });
        Assert.Equal(isForPeople, text.Contains('\e'));
        Assert.Contains("read-back", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_of_a_per_CPU_map_are_shown_cpu_by_cpu_without_their_padding()
    {
        var map = new MapOpened(1, 1, "", "m", new MapShape(5, 1, 3, 8, 0, 2), null, 0, 0, "fentry", [], "");
        Assert.Equal("cpu0: 010203  cpu1: 040506", new FieldFormat(map, Descriptions.None).Value([1, 2, 3, 0, 0, 0, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0]));
    }

    [Fact]
    public void BTF_that_cannot_be_read_leaves_hex_and_a_sentence()
    {
        var map = new MapOpened(1, 1, "", "ct_map", new MapShape(1, 1, 1, 8, 0, 0), [1, 2, 3], 5, 6, "fentry", [], "");
        Assert.Equal("0a", new FieldFormat(map, Descriptions.None).Key([10]));
        Assert.Contains("ct_map cannot be used", new EntryFormat(map, hexOnly: false).Lack, StringComparison.Ordinal);
    }

    private static string Written(bool isForPeople, Action<Terminal> write, int width = 80)
    {
        using var output = new MemoryStream();
        using (var terminal = new Terminal(output, TextWriter.Null, isForPeople, () => width))
            write(terminal);
        return Encoding.UTF8.GetString(output.ToArray());
    }
}
