using System.Text;
using System.Text.Json;
using Maplog.Btf;
using Maplog.Events;
using Maplog.Log;
using Npgsql;

namespace Maplog.Cli.TimeTravel;

/// <summary>
/// A view of one map's changes with a column for each field, as plain expressions on the bytes: a condition on a field is faster than on
/// audit.changes, which walks a description for each row.
/// </summary>
internal sealed class TypedView
{
    private const int LongestName = 63;
    private readonly LogStore _log;
    private readonly StreamName _stream;
    private readonly LoggedNote<MapOpened> _opened;
    private readonly List<(string Name, string Expression)> _columns = [];

    public TypedView(LogStore log, StreamName stream, LoggedNote<MapOpened> opened, MapFields fields)
    {
        (_log, _stream, _opened) = (log, stream, opened);
        Add("", "k.bytes", fields.Key, 0, "key");
        // For a per-CPU value, the view has the first CPU's value; audit.changes has all.
        Add("new_", "v.bytes", fields.Value, 0, "value");
        if (LpmPrefix.Applies(opened.Note.Shape, fields.Key))
            _columns.Add((Free("network"), $"{log.AuditSchema}.network(k.bytes)"));
        Name = $"{log.AuditSchema}.{Quoted($"{stream.Source}_{stream.Map}")}";
    }

    public string Name { get; }

    public IEnumerable<string> Columns => _columns.Select(c => c.Name);

    public string Sql
    {
        get
        {
            var (audit, maplog) = (_log.AuditSchema, _log.Schema);
            var sql = new StringBuilder($"create or replace view {Name} as\nselect e.version, e.timestamp as at, substring(e.type from 7) as kind");
            foreach (var (name, expression) in _columns)
                sql.Append($",\n       {expression} as {Quoted(name)}");
            sql.Append($"""
                ,
                       {maplog}.change_origin(e.bdata) as origin, {maplog}.change_comm(e.bdata) as comm, {maplog}.change_tgid(e.bdata) as tgid, {maplog}.change_cpu(e.bdata) as cpu, {maplog}.change_epoch(e.bdata) as epoch,
                       k.bytes as key_bytes, v.bytes as value_bytes
                from {maplog}.mt_events e,
                    lateral (select {maplog}.change_key(e.bdata) as bytes offset 0) k,
                    lateral (select case when e.type in ('entry_added', 'entry_updated') 
                        then coalesce({maplog}.change_value(e.bdata), {maplog}.value_of(e.tenant_id, e.stream_id, e.version, e.bdata)) end as bytes offset 0) v
                where e.tenant_id = '{_stream.Source}' and e.stream_id = '{_stream}' and e.bdata is not null
                    and octet_length(k.bytes) = {_opened.Note.Shape.KeySize};
                do $grant$ declare role text; begin
                    for role in select rolname from pg_roles where rolname in ('maplog_auditor', 'maplog_admin') loop
                        execute format('grant select on %s to %I', '{Name.Replace("'", "''", StringComparison.Ordinal)}', role);
                    end loop;
                end $grant$;
                """);
            return sql.ToString();
        }
    }

    /// <param name="cancellation">Ends the creation without any change.</param>
    public async Task MakeAsync(CancellationToken cancellation)
    {
        try
        {
            await using var connection = await _log.Database.OpenConnectionAsync(cancellation);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            // A column that was removed, or has another type, cannot be replaced.
            await using (var make = new NpgsqlCommand($"drop view if exists {Name}; {Sql}", connection, transaction))
                await make.ExecuteNonQueryAsync(cancellation);
            await transaction.CommitAsync(cancellation);
        }
        catch (PostgresException e)
        {
            throw new LogException($"Creating the view {Name} failed. {_log.Place} said: {e.MessageText} (SQLSTATE {e.SqlState}). This needs the role maplog_admin, or the owner of the existing view; `maplog migrate` reports whether the server has that role.", e);
        }
    }

    private void Add(string prefix, string bytes, FieldType? type, int at, string path)
    {
        if (type?.Kind == FieldKind.Struct)
        {
            foreach (var field in type.Fields!)
                Add(prefix, bytes, field, at + field.At, path is "key" or "value" ? field.Name! : $"{path}_{field.Name}");
            return;
        }
        var name = prefix + path;
        name = name.Length > LongestName - 3 ? name[..(LongestName - 3)] : name;
        _columns.Add((Free(name), Expression(bytes, type, at)));
    }

    private string Free(string name)
    {
        var free = name;
        for (var n = 2; free is "version" or "at" or "kind" or "origin" or "comm" or "tgid" or "cpu" or "epoch" or "key_bytes" or "value_bytes" || _columns.Any(c => c.Name == free); n++)
            free = $"{name}_{n}";
        return free;
    }

    private string Expression(string bytes, FieldType? type, int at)
    {
        var audit = _log.AuditSchema;
        return type switch
        {
            null => $"encode({bytes}, 'hex')",
            { Kind: FieldKind.Number, Size: 1 } => $"get_byte({bytes}, {at})",
            { Kind: FieldKind.Number, Size: 2 } => $"{audit}.u16({bytes}, {at})",
            { Kind: FieldKind.Number, Size: 4 } => $"{audit}.u32({bytes}, {at})",
            { Kind: FieldKind.Number } => $"{audit}.u64({bytes}, {at})",
            { Kind: FieldKind.SignedNumber } => $"{audit}.signed_number({bytes}, {at}, {type.Size})",
            { Kind: FieldKind.BigEndian or FieldKind.Port, Size: 2 } => $"{audit}.be16({bytes}, {at})",
            { Kind: FieldKind.BigEndian, Size: 4 } => $"{audit}.be32({bytes}, {at})",
            { Kind: FieldKind.BigEndian } => $"{audit}.big_endian({bytes}, {at}, {type.Size})",
            { Kind: FieldKind.Ipv4 } => $"{audit}.ipv4({bytes}, {at})",
            { Kind: FieldKind.Ipv4Host } => $"{audit}.ipv4_host({bytes}, {at})",
            { Kind: FieldKind.Ipv6 } => $"{audit}.ipv6({bytes}, {at})",
            { Kind: FieldKind.Mac } => $"{audit}.mac({bytes}, {at})",
            { Kind: FieldKind.Boolean } => $"ltrim(substring({bytes} from {at + 1} for {type.Size}), '\\x00') <> ''",
            { Kind: FieldKind.Text } => $"{audit}.text({bytes}, {at}, {type.Size})",
            { Kind: FieldKind.Bits } => $"{audit}.bits({bytes}, {at}, {type.Bit}, {type.Bits})",
            { Kind: FieldKind.Enumeration or FieldKind.Array } =>
                $"{audit}.decode('{JsonSerializer.Serialize(type with { At = 0, Name = null }, NoteCodec.Options).Replace("'", "''", StringComparison.Ordinal)}'::jsonb, {bytes}, {at}){(type.Kind == FieldKind.Enumeration ? " #>> '{}'" : "")}",
            _ => $"encode(substring({bytes} from {at + 1} for {type.Size}), 'hex')",
        };
    }

    // C names and stream names have no other character that needs doubling, but the BTF comes from outside.
    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
