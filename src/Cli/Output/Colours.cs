namespace Maplog.Cli.Output;

/// <summary>Colours of a terminal, for <see cref="Terminal.Paint"/>.</summary>
internal static class Colours
{
    public const string None = "\e[0m";
    public const string Red = "\e[31m";
    public const string Green = "\e[32m";
    public const string Yellow = "\e[33m";
    public const string Magenta = "\e[35m";
    public const string Cyan = "\e[36m";
}
