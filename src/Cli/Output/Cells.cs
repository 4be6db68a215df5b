using Spectre.Console.Rendering;

namespace Maplog.Cli.Output;

/// <summary>Text measured in the cells of a terminal; a letter may take two.</summary>
internal static class Cells
{
    public static int Of(string text) => text.AsSpan().ContainsAnyExceptInRange(' ', '~') ? new Segment(text).CellCount() : text.Length;

    public static string Pad(string text, int width) => text + new string(' ', Math.Max(0, width - Of(text)));

    /// <summary>The widest word between blanks: a smaller width would split it.</summary>
    public static int WidestWord(string text) => text.Split(' ').Max(Of);

    /// <summary>The text in lines of at most this width, broken only at blanks; a wider word stays whole.</summary>
    public static IEnumerable<string> Fold(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && Of(line) + 1 + Of(word) > width)
            {
                yield return line;
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }
        yield return line;
    }
}
