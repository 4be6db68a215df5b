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

    private static string Written(bool isForPeople, Action<Terminal> write)
    {
        using var output = new MemoryStream();
        using (var terminal = new Terminal(output, TextWriter.Null, isForPeople))
            write(terminal);
        return Encoding.UTF8.GetString(output.ToArray());
    }
}
