using Maplog.Configuration;
using Spectre.Console;

namespace Maplog.Cli.Output;

/// <summary>
/// Rows under headings. A terminal gets a drawn table if it is wide enough, with cells folded between words if necessary; in a narrower
/// terminal each row is a block of lines, with one cell per line. In a pipe: aligned columns, two blanks apart, one row per line; or CSV.
/// </summary>
internal sealed class TextTable(params IReadOnlyList<string> headings)
{
    /// <summary>The frame of a drawn cell: a line and a blank at each side; the line of the next cell follows.</summary>
    private const int Frame = 3;

    private const string Indent = "  ";

    private readonly List<IReadOnlyList<string>> _rows = [];

    public void Add(params IReadOnlyList<string> cells) => _rows.Add([.. cells.Select(SafeText.Of)]);

    public void Write(Terminal terminal)
    {
        if (!terminal.IsForPeople)
            Align(terminal.Out);
        else if (Fit(terminal.Width) is { } widths)
            Draw(terminal.Console, widths);
        else
            Stack(terminal);
    }

    public void WriteCsv(TextWriter output)
    {
        foreach (var row in _rows.Prepend(headings))
            output.WriteLine(Csv.Line(row));
    }

    // The widest columns become narrower first, each down to its longest word.
    private List<int>? Fit(int width)
    {
        var widths = Widths(Cells.Of);
        var least = Widths(Cells.WidestWord);
        for (var over = widths.Sum() + headings.Count * Frame + 1 - width; over > 0; over--)
        {
            var widest = Enumerable.Range(0, widths.Count).Where(i => widths[i] > least[i]).OrderByDescending(i => widths[i]).FirstOrDefault(-1);
            if (widest < 0)
                return null;
            widths[widest]--;
        }
        return widths;
    }

    private void Draw(IAnsiConsole console, List<int> widths)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var (heading, width) in headings.Zip(widths))
            table.AddColumn(new TableColumn(new Text(heading, new Style(decoration: Decoration.Bold))) { Width = width });
        foreach (var row in _rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        console.Write(table);
    }

    private void Stack(Terminal terminal)
    {
        var label = headings.Skip(1).Max(Cells.Of);
        foreach (var row in _rows)
        {
            terminal.Out.WriteLine(row[0]);
            for (var i = 1; i < headings.Count; i++)
            {
                var name = headings[i];
                foreach (var line in Cells.Fold(row[i], terminal.Width - 2 * Indent.Length - label))
                {
                    terminal.Out.WriteLine($"{Indent}{Cells.Pad(name, label)}{Indent}{line}".TrimEnd());
                    name = "";
                }
            }
        }
    }

    private void Align(TextWriter output)
    {
        var widths = Widths(Cells.Of);
        foreach (var row in _rows.Prepend(headings.Select(h => h.ToUpperInvariant()).ToList()))
            output.WriteLine(string.Join("  ", row.Select((cell, column) => Cells.Pad(cell, widths[column]))).TrimEnd());
    }

    private List<int> Widths(Func<string, int> measure) =>
        [.. headings.Select((h, column) => _rows.Select(r => measure(r[column])).Append(measure(h)).Max())];
}
