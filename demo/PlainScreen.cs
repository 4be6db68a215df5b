using System.Globalization;

namespace Maplog.Demo;

/// <summary>Lines, for a file or a machine that reads along: a sample each second.</summary>
internal sealed class PlainScreen(TextWriter output) : IScreen
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly Rates _rates = new();
    private TimeSpan _next;

    public void Say(string sentence) => output.WriteLine(sentence);

    public Task LiveAsync(Func<Task> show) => show();

    public void Show(Sample sample)
    {
        _rates.Add(sample);
        if (sample.At < _next)
            return;
        _next = sample.At + Pause;
        var replicas = sample.Replicas.Select((r, i) => string.Create(CultureInfo.InvariantCulture,
            $" | {r.Name}{(r.IsRunning ? "" : " STOPPED")} {r.Cursor:N0}, {_rates.PerSecond(s => s.Replicas[i].Cursor):N0}/s, {Lag.Of(r)}, {r.Entries:N0} entries"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{sample.At.TotalSeconds,4:N0} s | source {sample.Made:N0} changes, {_rates.PerSecond(s => s.Made):N0}/s, {sample.Entries:N0} entries | log {sample.Head:N0}, {_rates.PerSecond(s => s.Head):N0}/s{string.Concat(replicas)}"));
    }

    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = new List<IReadOnlyList<string>> { headings };
        all.AddRange(rows);
        var widths = headings.Select((_, column) => all.Max(row => row[column].Length)).ToList();
        foreach (var row in all)
            output.WriteLine("  " + string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
