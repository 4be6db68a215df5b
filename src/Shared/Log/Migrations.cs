using System.Reflection;
using System.Text.RegularExpressions;

namespace Maplog.Log;

/// <summary>The files of migrations/, which travel in this assembly. They name the schema <c>maplog</c>; another is put in its place.</summary>
internal static partial class Migrations
{
    public static IReadOnlyList<string> Names { get; } =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(n => n.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public static string Read(string name, string schema)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var text = new StreamReader(stream);
        var sql = text.ReadToEnd();
        return schema == "maplog" ? sql : SchemaName().Replace(sql, schema);
    }

    [GeneratedRegex(@"\bmaplog\b")]
    private static partial Regex SchemaName();
}
