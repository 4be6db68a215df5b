using System.Globalization;

namespace Maplog.Benchmarks;

/// <summary>
/// A processor of a guest, which is a thread on this machine. For how long that thread has run is known to the nanosecond,
/// whoever else wants this machine's processors.
/// </summary>
internal sealed class GuestProcessor
{
    private readonly string _statistics;

    private GuestProcessor(string statistics) => _statistics = statistics;

    public TimeSpan Ran => TimeSpan.FromTicks(long.Parse(File.ReadAllText(_statistics).Split(' ')[0], CultureInfo.InvariantCulture) / 100);

    /// <summary>Of the guest that this process, or a child of it, runs.</summary>
    public static GuestProcessor Find(int process, int number)
    {
        foreach (var task in Directory.GetDirectories($"/proc/{process}/task"))
        {
            if (File.ReadAllText($"{task}/comm").StartsWith($"CPU {number}/", StringComparison.Ordinal))
                return new GuestProcessor($"{task}/schedstat");
        }
        foreach (var child in File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                return Find(int.Parse(child, CultureInfo.InvariantCulture), number);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // Another child's, or one that has just ended.
            }
        }
        throw new FileNotFoundException($"Process {process} runs no guest with a processor {number}.");
    }
}
