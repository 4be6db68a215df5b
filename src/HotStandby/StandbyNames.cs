namespace Maplog.HotStandby;

/// <summary>Names of groups and members: they are also names of pins, which must not contain a dot.</summary>
internal static class StandbyNames
{
    public const string Rule = "use 1 to 39 of a-z, 0-9, '-' and '_', beginning with a letter or digit";

    public static bool IsName(string name) =>
        name.Length is > 0 and < MemberRecord.MemberName.Length && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_');

    /// <summary>The same number for the same name, in every process (FNV-1a).</summary>
    public static uint Seed(string name)
    {
        uint hash = 2166136261;
        foreach (char c in name)
            hash = (hash ^ c) * 16777619;
        return hash;
    }
}
