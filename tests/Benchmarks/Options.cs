using System.Globalization;

namespace Maplog.Benchmarks;

/// <summary>What the command line asks for: <c>[--short] [--seconds N] [--events N] [--kernel SUITE] [--out FILE] [--without ROW] [ROW...]</c>.</summary>
/// <param name="IsShort">Small sizes, for errors only.</param>
/// <param name="Sizes">How much is measured.</param>
/// <param name="Into">Where the figures go.</param>
/// <param name="Rows">The rows; none: all.</param>
/// <param name="Without">A row that is left out; null: none.</param>
/// <param name="Kernel">The Debian release whose kernel runs where a guest is needed.</param>
internal sealed record Options(bool IsShort, Sizes Sizes, string Into, IReadOnlyList<string> Rows, string? Without = null, string Kernel = "bookworm")
{
    public bool Wants(string row) => row != Without && (Rows.Count == 0 || Rows.Contains(row));

    /// <exception cref="FormatException">An argument cannot be used.</exception>
    public static Options Parse(string[] arguments)
    {
        var isShort = arguments.Contains("--short");
        var options = new Options(isShort, isShort ? Sizes.Short : Sizes.Full, "artifacts/bench.json", []);
        var rows = new List<string>();
        for (var i = 0; i < arguments.Length; i++)
        {
            options = arguments[i] switch
            {
                "--short" => options,
                "--out" => options with { Into = Next() },
                "--kernel" => options with { Kernel = Suite() },
                "--without" => options with { Without = Next() },
                "--events" => options with { Sizes = options.Sizes with { Events = Number() } },
                "--seconds" => options with { Sizes = options.Sizes.Lasting(Number()) },
                var unknown when unknown.StartsWith('-') => throw new FormatException($"unknown option {unknown}: use --short, --seconds N, --events N, --kernel SUITE, --out FILE, --without ROW and names of rows."),
                var row => Row(row),
            };

            string Next() => ++i < arguments.Length ? arguments[i] : throw new FormatException($"{arguments[i - 1]} wants something behind it.");

            int Number() => int.TryParse(Next(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : throw new FormatException($"{arguments[i - 1]} wants a number above 0, not '{arguments[i]}'.");

            // Before 5.13 a program is not hooked a second time, which the hook's row does in turns.
            string Suite() => Next() is "bookworm" or "sid" ? arguments[i] : throw new FormatException($"--kernel wants bookworm (6.1) or sid (the newest), not '{arguments[i]}'.");

            Options Row(string row)
            {
                rows.Add(row);
                return options;
            }
        }
        return options with { Rows = rows };
    }
}
