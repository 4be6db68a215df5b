namespace Maplog.Benchmarks;

/// <summary>
/// What a figure must come to, and what is aimed at: at most, where the aim is the smaller of the two, else at least.
/// Both are of the figure's ratio where it has one, else of its value.
/// </summary>
internal readonly record struct Bar(double Must, double Aim)
{
    public bool IsMetBy(double value) => Aim <= Must ? value <= Must : value >= Must;
}
