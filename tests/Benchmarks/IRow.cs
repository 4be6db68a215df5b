namespace Maplog.Benchmarks;

/// <summary>One row of the benchmark: a thing that maplog does, measured against the least that it could cost here, or against how others do it, in the same run.</summary>
internal interface IRow
{
    /// <summary>What <c>ONLY=</c> calls it.</summary>
    string Name { get; }

    /// <summary>Measures it.</summary>
    Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation);
}
