using System.Text;
using Npgsql;

namespace Maplog.Servers;

/// <summary>How Postgres answered a query, with what the functions ran that it called: <c>explain</c> shows those as one step.</summary>
public static class QueryPlan
{
    // Postgres' own extension; loading it takes a superuser. What it has to say arrives as notices.
    private const string Watch = """
        load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
        set auto_explain.log_analyze = on; set auto_explain.log_timing = off; set auto_explain.log_level = notice
        """;

    /// <summary>Runs a query to its end and returns the plans of all that ran, as they were carried out; <paramref name="settings"/> is SQL for the same session, before it.</summary>
    public static async Task<string> OfAsync(NpgsqlDataSource database, string sql, object[] parameters, string settings = "", CancellationToken cancellation = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using (var before = new NpgsqlCommand($"{Watch}; {settings}", connection))
            await before.ExecuteNonQueryAsync(cancellation);
        var plans = new StringBuilder();
        void Take(object sender, NpgsqlNoticeEventArgs e) => plans.AppendLine(e.Notice.MessageText);
        connection.Notice += Take;
        await using var query = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var parameter in parameters)
            query.Parameters.Add(new() { Value = parameter });
        await query.ExecuteNonQueryAsync(cancellation);
        connection.Notice -= Take;
        return plans.ToString();
    }
}
