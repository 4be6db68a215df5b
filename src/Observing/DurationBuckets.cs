using System.Diagnostics.Metrics;

namespace Maplog.Observing;

/// <summary>Bounds of the histograms of durations, in seconds: a commit takes a millisecond on a good day and a minute on a bad one.</summary>
public static class DurationBuckets
{
    public static InstrumentAdvice<double> Advice { get; } = new() { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] };
}
