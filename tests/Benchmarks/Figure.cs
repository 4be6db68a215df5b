using System.Globalization;

namespace Maplog.Benchmarks;

/// <summary>One measured figure, as <c>artifacts/bench.json</c> has it.</summary>
/// <param name="Name">The row, and where it has several figures, which: <c>lag-10k/p99</c>.</param>
/// <param name="Value">What maplog takes or does.</param>
/// <param name="Unit">Of the value and of what it is held against.</param>
/// <param name="Against">What it is held against, measured in the same run, with its figure; null if the bar is of the value itself.</param>
/// <param name="Ratio">Of the value to what it is held against, as the row says; null if the bar is of the value itself.</param>
/// <param name="Bar">What it must come to.</param>
internal sealed record Figure(string Name, double Value, string Unit, string? Against, double? Ratio, Bar Bar)
{
    public double Must => Bar.Must;

    public double Aim => Bar.Aim;

    /// <summary>Whether it is within must.</summary>
    public bool Met => Bar.IsMetBy(Ratio ?? Value);

    /// <summary>How much more (or less) maplog takes than something else that was measured with it.</summary>
    public static Figure Compared(string name, double value, double against, string unit, string what, double ratio, double must, double aim) =>
        new(name, Math.Round(value, 3), unit, string.Create(CultureInfo.InvariantCulture, $"{against:0.###} {unit}: {what}"), Math.Round(ratio, 3), new Bar(must, aim));

    /// <summary>A figure whose bar is its own.</summary>
    public static Figure Plain(string name, double value, string unit, double must, double aim) => new(name, Math.Round(value, 3), unit, null, null, new Bar(must, aim));

    public override string ToString()
    {
        var what = Ratio is { } ratio ? string.Create(CultureInfo.InvariantCulture, $"against {Against}; ratio {ratio:0.000}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{Name,-24} {Value,12:0.###} {Unit,-10} {what}{(what.Length > 0 ? ", " : "")}must {Must:0.###}, aim {Aim:0.###}: {(Met ? "met" : "NOT MET")}");
    }
}
