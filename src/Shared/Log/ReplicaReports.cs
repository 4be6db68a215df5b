using System.Text.Json;
using NpgsqlTypes;

namespace Maplog.Log;

/// <summary>Tells the log how one replicator's replicas stand, on a connection of its own.</summary>
/// <param name="store">The log.</param>
/// <param name="node">This host.</param>
/// <param name="instance">This run of the replicator.</param>
public sealed class ReplicaReports(LogStore store, string node, Guid instance)
{
    private const int CommandTimeout = 5;

    /// <summary>Puts the rows in place of what the same replicas said before.</summary>
    /// <exception cref="LogException">The log cannot be reached or refuses it.</exception>
    public Task ReportAsync(IReadOnlyList<ReplicaRow> replicas, CancellationToken cancellation = default)
    {
        var rows = JsonSerializer.Serialize(replicas.Select(r => new
        {
            source = r.Stream.Source,
            map = r.Stream.Map,
            pin = r.Pin,
            map_id = (long)r.MapId,
            boot_id = r.BootId,
            epoch = r.Epoch.Value,
            version = r.Version.Value,
            head = r.Head.Value,
            lag_versions = r.Versions,
            lag_seconds = r.Lag?.TotalSeconds,
            state = r.State,
            trouble = r.Trouble,
            from_log = r.FromLog,
            from_bus = r.FromBus,
            repaired = r.Repaired,
        }));
        return RunAsync("Reporting the replicas of this host", $"select {store.Schema}.report_replicas($1, $2, $3)", rows, cancellation);
    }

    /// <summary>Takes the rows of this run away.</summary>
    /// <exception cref="LogException">The log cannot be reached or refuses it.</exception>
    public Task WithdrawAsync(CancellationToken cancellation = default) =>
        RunAsync("Withdrawing the replicas of this host", $"select {store.Schema}.withdraw_replicas($1, $2)", null, cancellation);

    private async Task RunAsync(string doing, string sql, string? rows, CancellationToken cancellation)
    {
        try
        {
            await using var command = store.Database.CreateCommand(sql);
            command.CommandTimeout = CommandTimeout;
            command.Parameters.Add(new() { Value = node });
            command.Parameters.Add(new() { Value = instance });
            if (rows is not null)
                command.Parameters.Add(new() { Value = rows, NpgsqlDbType = NpgsqlDbType.Jsonb });
            await command.ExecuteNonQueryAsync(cancellation);
        }
        catch (Exception e) when (LogException.Explains(e))
        {
            throw LogException.From(doing, store, e);
        }
    }
}
