using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Maplog.Demo;

/// <summary>A terminal: a table that changes in place, the sentences below it.</summary>
internal sealed class LiveScreen(IAnsiConsole console) : IScreen
{
    private readonly Rates _rates = new();
    private readonly List<string> _said = [];
    private LiveDisplayContext? _live;
    private IRenderable _table = new Text("");

    public void Say(string sentence)
    {
        if (_live is null)
        {
            console.MarkupLineInterpolated($"[grey]>[/] {sentence}");
            return;
        }
        _said.Add(sentence);
        Draw();
    }

    public async Task LiveAsync(Func<Task> show)
    {
        await console.Live(_table).StartAsync(async live =>
        {
            _live = live;
            try
            {
                await show();
            }
            finally
            {
                _live = null;
            }
        });
        _said.Clear();
    }

    public void Show(Sample sample)
    {
        _rates.Add(sample);
        var table = new Table().Border(TableBorder.Rounded).Title($"after {sample.At.TotalSeconds:N0} s");
        foreach (var heading in new[] { "", "entries", "changes", "per second", "behind" })
            table.AddColumn(new TableColumn(heading) { Alignment = heading.Length == 0 ? Justify.Left : Justify.Right, NoWrap = true });
        Row("source: the map", Number(sample.Entries), sample.Made, _rates.PerSecond(s => s.Made), "");
        Row("log: Postgres", "", sample.Head, _rates.PerSecond(s => s.Head), "");
        for (var i = 0; i < sample.Replicas.Count; i++)
        {
            var (replica, index) = (sample.Replicas[i], i);
            Row($"{replica.Name}: the copy", Number(replica.Entries), replica.Cursor, _rates.PerSecond(s => s.Replicas[index].Cursor), replica.IsRunning ? Lag.Of(replica) : $"[red]stopped[/], {Lag.Of(replica)}");
        }
        _table = table;
        Draw();

        void Row(string what, string entries, long changes, double rate, string behind) =>
            table.AddRow(what, entries, Number(changes), rate.ToString("N0", CultureInfo.InvariantCulture), behind);
    }

    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var heading in headings)
            table.AddColumn(new TableColumn(heading) { NoWrap = true });
        foreach (var row in rows)
            table.AddRow([.. row.Select(Markup.Escape)]);
        console.Write(table);
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private void Draw() => _live?.UpdateTarget(new Rows([_table, .. _said.Select(s => Markup.FromInterpolated($"[grey]>[/] {s}"))]));
}
