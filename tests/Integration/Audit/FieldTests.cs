using System.Text.Json;
using Maplog.Btf;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Tests.Integration.Log;
using Npgsql;
using NpgsqlTypes;
using Xunit;

namespace Maplog.Tests.Integration.Audit;

public sealed class FieldTests(TestPostgres postgres)
{
    private static readonly FieldType Everything = new(FieldKind.Struct, 96)
    {
        Fields =
        [
            new(FieldKind.Ipv4, 4) { Name = "saddr" }, new(FieldKind.Port, 2) { Name = "dport", At = 4 }, new(FieldKind.Mac, 6) { Name = "mac", At = 6 },
            new(FieldKind.Ipv6, 16) { Name = "ip6", At = 12 }, new(FieldKind.Number, 8) { Name = "bytes", At = 28 }, new(FieldKind.SignedNumber, 8) { Name = "s64", At = 36 },
            new(FieldKind.SignedNumber, 2) { Name = "s16", At = 44 }, new(FieldKind.SignedNumber, 1) { Name = "s8", At = 46 }, new(FieldKind.Boolean, 1) { Name = "yes", At = 47 },
            new(FieldKind.Text, 8) { Name = "comm", At = 48 }, new(FieldKind.Enumeration, 1) { Name = "state", At = 56, Names = new Dictionary<string, string> { ["1"] = "OPEN", ["2"] = "CLOSED" } },
            new(FieldKind.Bits, 2) { Name = "low", At = 57, Bit = 3, Bits = 9 }, new(FieldKind.BigEndian, 8) { Name = "be", At = 60 },
            new(FieldKind.Array, 8) { Name = "pairs", At = 68, Count = 2, Of = new FieldType(FieldKind.Struct, 4) { Fields = [new(FieldKind.Number, 2) { Name = "a" }, new(FieldKind.SignedNumber, 2) { Name = "b", At = 2 }] } },
            new(FieldKind.Bytes, 4) { Name = "rest", At = 76 }, new(FieldKind.SignedNumber, 4) { Name = "s32", At = 80 }, new(FieldKind.Number, 4) { Name = "u32", At = 84 }, new(FieldKind.Number, 1) { Name = "u8", At = 88 },
        ],
    };

    [Fact]
    public async Task SQL_reads_bytes_by_field_as_the_command_does()
    {
        await using var log = await LogDatabase.MigratedAsync(postgres);
        await using var connection = await log.Store.Database.OpenConnectionAsync(Cancel);
        var random = new Random(1);
        for (var i = 0; i < 200; i++)
        {
            var bytes = new byte[96];
            random.NextBytes(bytes);
            bytes[56] = (byte)random.Next(4);
            if (i % 2 == 0)
                "maplog\0\0"u8.CopyTo(bytes.AsSpan(48));
            if (i % 4 == 1)
                "a\\b\"c d~"u8.CopyTo(bytes.AsSpan(48));
            await using var decode = new NpgsqlCommand("select audit.decode($1, $2)::text", connection);
            decode.Parameters.Add(new() { Value = JsonSerializer.Serialize(Everything, NoteCodec.Options), NpgsqlDbType = NpgsqlDbType.Jsonb });
            decode.Parameters.Add(new() { Value = bytes });
            var sql = JsonDocument.Parse((string)(await decode.ExecuteScalarAsync(Cancel))!).RootElement;
            var own = JsonDocument.Parse(FieldJson.Text(Everything, bytes)).RootElement;
            Assert.True(JsonElement.DeepEquals(own, sql), $"{own}\n{sql}");
        }
    }

    [Fact]
    public async Task SQL_takes_two_prefixes_for_the_same_as_the_fold_does()
    {
        await using var log = await LogDatabase.MigratedAsync(postgres);
        var random = new Random(2);
        for (var prefix = 0; prefix <= 36; prefix++)
        {
            var key = new byte[8];
            random.NextBytes(key);
            BitConverter.TryWriteBytes(key, prefix);
            var sql = (string)(await log.QueryAsync($"select encode(audit.same_key('\\x{Convert.ToHexString(key)}', 11), 'hex')"))!;
            LpmKey.Normalise(key);
            Assert.Equal(Convert.ToHexStringLower(key), sql);
        }
    }

    [Fact]
    public async Task Who_changed_a_port_in_the_last_minutes_is_one_select_and_a_typed_view_says_the_same()
    {
        await using var log = await LogDatabase.MigratedAsync(postgres);
        var stream = Made.Stream("lb-1/ct_map");
        var key = new FieldType(FieldKind.Struct, 8) { Fields = [new(FieldKind.Ipv4, 4) { Name = "saddr" }, new(FieldKind.Port, 2) { Name = "dport", At = 4 }, new(FieldKind.Number, 2) { Name = "zone", At = 6 }] };
        using (var batch = new EventBatch())
        {
            var now = TimeProvider.System.GetUtcNow().AddMinutes(-1);
            batch.AddNote(stream, new StreamVersion(1), now, Made.Opened() with { Fields = new MapFields(key, new FieldType(FieldKind.Number, 8)) });
            batch.AddChange(stream, new StreamVersion(2), now, EventKind.EntryAdded, Made.Payload([10, 0, 0, 1, 1, 0xbb, 7, 0], [1, 0, 0, 0, 0, 0, 0, 0]));
            batch.AddChange(stream, new StreamVersion(3), now.AddSeconds(2), EventKind.EntryUpdated, Made.Payload([10, 0, 0, 1, 1, 0xbb, 7, 0], [2, 0, 0, 0, 0, 0, 0, 0]));
            batch.AddChange(stream, new StreamVersion(4), now.AddSeconds(3), EventKind.EntryAdded, Made.Payload([10, 0, 0, 2, 0, 80, 7, 0], [3, 0, 0, 0, 0, 0, 0, 0]));
            await (await LogWriter.OpenAsync(log.Store, "lb-1", Cancel)).AppendAsync(batch, Cancel);
        }
        Assert.Equal("added null 1, updated 1 2 00:00:02", await log.QueryAsync(
            "select string_agg(concat_ws(' ', kind, coalesce(old_value::text, 'null'), value::text, old_lived::text), ', ' order by version) from audit.changes where key->>'dport' = '443' and at > now() - interval '5 min'"));

        var made = await Cli.CommandRun.OfAsync("audit", "view", "lb-1/ct_map", "--log", log.Options.ConnectionString);
        Assert.Equal("View audit.\"lb-1_ct_map\" shows the changes of lb-1/ct_map: saddr, dport, zone, new_value.\n", made.Output);
        Assert.Equal("10.0.0.1 443 7 2", await log.QueryAsync("select concat_ws(' ', host(saddr), dport, zone, new_value) from audit.\"lb-1_ct_map\" where saddr << '10.0.0.0/24' and dport = 443 and kind = 'updated'"));

        var history = await Cli.CommandRun.OfAsync("history", "lb-1/ct_map", "--key", "saddr=10.0.0.1,dport=443", "--log", log.Options.ConnectionString);
        Assert.Equal(2, history.Lines.Length);
        Assert.EndsWith("saddr=10.0.0.1,dport=443,zone=7  1 -> 2  (lived 2 s)", history.Lines[1], StringComparison.Ordinal);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
