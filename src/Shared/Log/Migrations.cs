using System.Reflection;
using System.Text.RegularExpressions;

namespace Maplog.Log;

/// <summary>
/// The files of migrations/, which travel in this assembly. They name the schemas <c>maplog</c> and <c>audit</c>; for a log in
/// a schema of another name these are <c>NAME</c> and <c>NAME_audit</c>.
/// </summary>
internal static partial class Migrations
{
    public static IReadOnlyList<string> Names { get; } =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(n => n.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public static string Read(string name, string schema)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var text = new StreamReader(stream);
        var sql = text.ReadToEnd();
        return schema == "maplog" ? sql : AuditName().Replace(SchemaName().Replace(sql, schema), AuditSchema(schema));
    }

    /// <summary>The schema of the views for auditors.</summary>
    public static string AuditSchema(string schema) => schema == "maplog" ? "audit" : $"{schema}_audit";

    [GeneratedRegex(@"\baudit\b")]
    private static partial Regex AuditName();

    [GeneratedRegex(@"\bmaplog\b")]
    private static partial Regex SchemaName();
}
