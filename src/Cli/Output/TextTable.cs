using Spectre.Console;

namespace Maplog.Cli.Output;

/// <summary>Rows under headings: drawn on a terminal; in a pipe aligned columns, two blanks apart, a row a line.</summary>
internal sealed class TextTable(params IReadOnlyList<string> headings)
{
    private readonly List<IReadOnlyList<string>> _rows = [];

    public void Add(params IReadOnlyList<string> cells) => _rows.Add(cells);

    public void Write(Terminal terminal)
    {
        if (terminal.IsForPeople)
            Draw(terminal.Console);
        else
            Align(terminal.Out);
    }

    private void Draw(IAnsiConsole console)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var heading in headings)
            table.AddColumn(new TableColumn(new Text(heading, new Style(decoration: Decoration.Bold))));
        foreach (var row in _rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        console.Write(table);
    }

    private void Align(TextWriter output)
    {
        var widths = headings.Select((h, column) => _rows.Select(r => r[column].Length).Append(h.Length).Max()).ToList();
        foreach (var row in _rows.Prepend(headings.Select(h => h.ToUpperInvariant()).ToList()))
            output.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
