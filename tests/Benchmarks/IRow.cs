namespace Maplog.Benchmarks;

/// <summary>One row of the benchmark: a thing that maplog does, measured against the least that it could cost here, in the same run.</summary>
internal interface IRow
{
    /// <summary>What <c>ONLY=</c> calls it.</summary>
    string Name { get; }

    /// <summary>The ratio that must not be passed.</summary>
    double Must { get; }

    /// <summary>The ratio that is aimed at.</summary>
    double Aim { get; }

    /// <summary>What it is measured against, in words.</summary>
    string Against { get; }

    string Unit { get; }

    /// <summary>Measures it.</summary>
    Task<Measured> RunAsync(Bench bench, CancellationToken cancellation);
}

/// <param name="Value">What maplog takes, in the row's unit.</param>
/// <param name="Bare">What it is measured against takes.</param>
/// <param name="Ratio">How much more maplog takes: greater is worse.</param>
internal readonly record struct Measured(double Value, double Bare, double Ratio);
