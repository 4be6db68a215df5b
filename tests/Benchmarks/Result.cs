namespace Maplog.Benchmarks;

/// <summary>A row as artifacts/bench.json has it.</summary>
/// <param name="Name">The row.</param>
/// <param name="Value">What maplog takes.</param>
/// <param name="Unit">Of value and against.</param>
/// <param name="Against">What the bare minimum takes, and what it is.</param>
/// <param name="Ratio">How much more maplog takes.</param>
/// <param name="Must">The ratio that must not be passed.</param>
/// <param name="Aim">The ratio that is aimed at.</param>
/// <param name="Met">Whether it is within must.</param>
internal sealed record Result(string Name, double Value, string Unit, string Against, double Ratio, double Must, double Aim, bool Met);
