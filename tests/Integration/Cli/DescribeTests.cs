using System.Text.Json;
using Maplog.Events;
using Maplog.Servers;
using Maplog.Tests.Unit.Btf;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Cli;

public sealed class DescribeTests(TestPostgres postgres)
{
    private static readonly MapShape Shape = new(1, 4, 4, 1024, 0, 0);

    private static readonly MapFields Ports = new(
        new FieldType(FieldKind.Struct, 4) { Fields = [new(FieldKind.Number, 2) { Name = "port", Guess = true }, new(FieldKind.Number, 2) { Name = "zone", At = 2 }] },
        new FieldType(FieldKind.Number, 4));

    [Fact]
    public async Task Every_verb_and_SQL_say_the_same_of_a_field()
    {
        await using var log = await LogAsync(Ports);
        await SaysAsync(log, "443", "47873");
        Assert.Contains("key.port (number)", (await log.RunAsync("dump", "lb-1/ct_map")).Output, StringComparison.Ordinal);
        Assert.Contains("guess (name)", (await log.RunAsync("describe", "lb-1/ct_map")).Output, StringComparison.Ordinal);

        var said = await log.RunAsync("describe", "lb-1/ct_map", "--hint", "key.port=port");
        Assert.Equal("", said.Error);
        Assert.Contains("key.port  0-1    port    said", said.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("guess", said.Output, StringComparison.Ordinal);
        await SaysAsync(log, "47873", "443");
        Assert.DoesNotContain("guess", (await log.RunAsync("dump", "lb-1/ct_map")).Output, StringComparison.Ordinal);

        Assert.Equal(0, (await log.RunAsync("describe", "lb-1/ct_map", "--reset")).Code);
        await SaysAsync(log, "443", "47873");
    }

    [Fact]
    public async Task A_map_without_BTF_is_described_by_an_object_or_by_places()
    {
        await using var log = await LogAsync(null);
        Assert.Contains("their fields are unknown", (await log.RunAsync("describe", "lb-1/ct_map")).Output, StringComparison.Ordinal);
        Assert.Contains("describe it with 'maplog describe'", (await log.RunAsync("history", "lb-1/ct_map", "--key", "port=443")).Error, StringComparison.Ordinal);

        var file = Path.Combine(Path.GetTempPath(), $"maplog-btf-{Guid.NewGuid():N}");
        try
        {
            var btf = new BtfBuilder();
            var u16 = btf.Integer("unsigned short", 2);
            var key = btf.Struct("ct_key", 4, ("port", btf.Alias(Maplog.Btf.BtfKind.Typedef, u16, "__be16"), 0), ("zone", u16, 16));
            var value = btf.Struct("ct_value", 4, ("saddr", btf.Integer("unsigned int", 4), 0));
            var definition = btf.Struct("", 16, ("key", btf.Pointer(key), 0), ("value", btf.Pointer(value), 64));
            btf.Section(".maps", 16, btf.Variable("ct_map", definition));
            await File.WriteAllBytesAsync(file, btf.Build(), TestContext.Current.CancellationToken);

            Assert.Contains("no type 'ct_kez'. Did you mean ct_key?", (await log.RunAsync("describe", "lb-1/ct_map", "--btf", file, "--key", "ct_kez")).Error, StringComparison.Ordinal);
            Assert.Contains("'unsigned short' in", (await log.RunAsync("describe", "lb-1/ct_map", "--btf", file, "--value", "unsigned short")).Error, StringComparison.Ordinal);
            Assert.Equal("", (await log.RunAsync("describe", "lb-1/ct_map", "--btf", file, "--key", "struct ct_key")).Error);
            await SaysAsync(log, "47873", "443");
            Assert.Equal("", (await log.RunAsync("describe", "lb-1/ct_map", "--btf", file)).Error);
            Assert.Contains("port=47873,zone=7 -> saddr=10.0.0.1", (await log.RunAsync("dump", "lb-1/ct_map")).Output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
        Assert.Contains("lacks its size: write key.port@0:SIZE=number", (await log.RunAsync("describe", "lb-1/ct_map", "--reset", "--hint", "key.port@0=number")).Error, StringComparison.Ordinal);
        Assert.Equal("", (await log.RunAsync("describe", "lb-1/ct_map", "--reset", "--hint", "key.port@0:2=number", "--hint", "key.zone@2:2=number")).Error);
        await SaysAsync(log, "443", "47873");
    }

    [Fact]
    public async Task A_description_counts_for_later_lives_of_the_same_map_and_for_no_other()
    {
        await using var log = await LogAsync(Ports);
        Assert.Equal(0, (await log.RunAsync("describe", "lb-1/ct_map", "--hint", "key.port=port")).Code);
        log.Note(CommandLog.Map(Shape) with { MapId = 43, Fields = Ports.WithoutGuesses() });
        log.Change(EventKind.EntryAdded, [1, 0xbb, 9, 0], 1, 0, 0, 0);
        await log.CommitAsync();
        Assert.Contains("port=443,zone=9 -> 1", (await log.RunAsync("dump", "lb-1/ct_map")).Output, StringComparison.Ordinal);
        Assert.Equal("443", await log.QueryAsync("select key->>'port' from audit.changes where source = 'lb-1' order by version desc limit 1"));

        log.Note(CommandLog.Map(Shape) with { MapId = 44, Fields = new MapFields(new FieldType(FieldKind.Number, 4), null) });
        log.Change(EventKind.EntryAdded, [8, 0, 0, 0], 1, 0, 0, 0);
        await log.CommitAsync();
        Assert.Contains("8 -> 01000000", (await log.RunAsync("dump", "lb-1/ct_map")).Output, StringComparison.Ordinal);
        // Each life is shown by its own description.
        var history = await log.RunAsync("history", "lb-1/ct_map");
        Assert.Contains("port=443,zone=9", history.Output, StringComparison.Ordinal);
        // A key of the present map is none of the earlier ones.
        Assert.Single((await log.RunAsync("history", "lb-1/ct_map", "--key", "8")).Lines);
    }

    [Fact]
    public async Task Maps_that_an_earlier_version_described_have_the_byte_order_of_their_types_after_a_migrate()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        var btf = new BtfBuilder();
        var u16 = btf.Integer("unsigned short", 2);
        var (key, value) = (btf.Struct("ct_key", 4, ("port", u16, 0), ("zone", u16, 16)), btf.Integer("unsigned int", 4));
        var earlier = new MapFields(
            new FieldType(FieldKind.Struct, 4) { Fields = [new(FieldKind.Port, 2) { Name = "port" }, new(FieldKind.Number, 2) { Name = "zone", At = 2 }] }, new FieldType(FieldKind.Number, 4));
        log.Note(CommandLog.Map(Shape, btf.Build(), key, value) with { Fields = earlier });
        log.Change(EventKind.EntryAdded, [0xbb, 1, 7, 0], 10, 0, 0, 1);
        await log.CommitAsync();
        await SaysAsync(log, "47873", "443");

        Assert.Contains("1 map that an earlier version described is described by the BTF again", (await log.RunAsync("migrate")).Output, StringComparison.Ordinal);
        await SaysAsync(log, "443", "47873");
        Assert.Contains("guess (name)", (await log.RunAsync("describe", "lb-1/ct_map")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("again", (await log.RunAsync("migrate")).Output, StringComparison.Ordinal);

        // An operator's word stays.
        Assert.Equal(0, (await log.RunAsync("describe", "lb-1/ct_map", "--hint", "key.port=port")).Code);
        Assert.Equal(0, (await log.RunAsync("migrate")).Code);
        await SaysAsync(log, "47873", "443");
    }

    [Fact]
    public async Task A_reader_of_the_log_sees_descriptions_and_may_not_say_them()
    {
        await using var log = await LogAsync(Ports);
        Assert.Equal(0, (await log.RunAsync("describe", "lb-1/ct_map", "--hint", "key.port=port")).Code);
        var name = $"reader_{Guid.NewGuid():N}";
        await log.QueryAsync($"create role {name} login password 'r' in role maplog_reader");
        var reader = new NpgsqlConnectionStringBuilder(log.Connection) { Username = name, Password = "r" }.ConnectionString;
        var dump = await CommandRun.OfAsync("dump", "lb-1/ct_map", "--log", reader);
        Assert.Contains("port=47873,zone=7", dump.Output, StringComparison.Ordinal);
        var refused = await CommandRun.OfAsync("describe", "lb-1/ct_map", "--hint", "key.port=number", "--log", reader);
        Assert.Equal(1, refused.Code);
        Assert.Contains("this needs the role maplog_admin", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_of_a_trie_are_networks_in_and_out()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        log.Note(CommandLog.Map(new MapShape(11, 8, 1, 16, 1, 0)));
        log.Change(EventKind.EntryAdded, [8, 0, 0, 0, 10, 0, 0, 0], 1);
        log.Change(EventKind.EntryAdded, [16, 0, 0, 0, 10, 1, 0, 0], 2);
        log.Change(EventKind.EntryUpdated, [8, 0, 0, 0, 10, 9, 9, 9], 3);
        await log.CommitAsync();
        var dump = await log.RunAsync("dump", "lb-1/ct_map");
        Assert.Contains("# guessed by name or size: key (network)", dump.Output, StringComparison.Ordinal);
        Assert.Contains("10.0.0.0/8 -> 03\n", dump.Output, StringComparison.Ordinal);
        Assert.Equal("10.1.0.0/16 -> 02\n", (await log.RunAsync("get", "lb-1/ct_map", "10.1.2.3")).Output);
        Assert.Equal("10.0.0.0/8 -> 03\n", (await log.RunAsync("get", "lb-1/ct_map", "10.2.2.3")).Output);
        Assert.Equal("10.0.0.0/8 -> 01\n", (await log.RunAsync("get", "lb-1/ct_map", "10.0.0.0/8", "--version", "3")).Output);
        Assert.Equal(1, (await log.RunAsync("get", "lb-1/ct_map", "11.2.2.3")).Code);
        foreach (var key in new[] { "10.0.0.0/8", "10.9.9.9/8", "080000000a090909" })
            Assert.Equal([2L, 4L], Versions(await log.RunAsync("history", "lb-1/ct_map", "--key", key, "--json")));
        Assert.Equal([2L, 4L], Versions(await log.RunAsync("watch", "lb-1/ct_map", "--from", "1", "--key", "10.0.0.0/8", "--count", "2", "--json")));
        Assert.Contains("write a network as 10.0.0.0/8", (await log.RunAsync("history", "lb-1/ct_map", "--key", "10.0.0.0")).Error, StringComparison.Ordinal);
        Assert.Equal("10.0.0.0/8", JsonDocument.Parse((await log.RunAsync("history", "lb-1/ct_map", "--json")).Lines[0]).RootElement.GetProperty("network").GetString());
        Assert.Equal("10.0.0.0/8", await log.QueryAsync("select audit.network(key_bytes)::text from audit.changes where source = 'lb-1' order by version desc limit 1"));
    }

    [Fact]
    public async Task A_watch_prints_what_was_asked_for_and_counts_no_more()
    {
        await using var log = await LogAsync(Ports);
        Assert.Equal([2L, 4L], Versions(await log.RunAsync("watch", "lb-1/ct_map", "--from", "1", "--count", "2", "--json", "--key", "port=443")));
        Assert.Equal([3L], Versions(await log.RunAsync("watch", "lb-1/ct_map", "--from", "1", "--count", "1", "--json", "--key", "zone=8", "--process", "4711", "--origin", "program")));
        Assert.Equal([4L], Versions(await log.RunAsync("watch", "lb-1/ct_map", "--from", "1", "--count", "1", "--json", "--kind", "deleted")));
        Assert.Equal([1L], Versions(await log.RunAsync("watch", "lb-1/ct_map", "--from", "1", "--count", "1", "--json", "--kind", "map_opened")));
    }

    private static IEnumerable<long> Versions(CommandRun run) => run.Lines.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("version").GetInt64());

    // The key bb 01 07 00: a port of 443 in this machine's byte order, of 47873 in the network's.
    private static async Task SaysAsync(CommandLog log, string port, string other)
    {
        var key = $"port={port},zone=7";
        Assert.Contains($"\n{key} -> ", (await log.RunAsync("dump", "lb-1/ct_map")).Output, StringComparison.Ordinal);
        Assert.Contains($"\n{key} ", (await log.RunAsync("replay", "lb-1/ct_map")).Output, StringComparison.Ordinal);
        Assert.Contains($"\n{port},7,", (await log.RunAsync("replay", "lb-1/ct_map", "--csv")).Output, StringComparison.Ordinal);
        Assert.StartsWith($"{key} -> ", (await log.RunAsync("get", "lb-1/ct_map", $"port={port}")).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await log.RunAsync("get", "lb-1/ct_map", $"port={other}")).Code);
        Assert.Contains($"+ {key} -> ", (await log.RunAsync("diff", "lb-1/ct_map", "--from", "1")).Output, StringComparison.Ordinal);
        Assert.All((await log.RunAsync("history", "lb-1/ct_map", "--key", $"port={port}")).Lines, l => Assert.Contains(key, l, StringComparison.Ordinal));
        Assert.Equal(1, (await log.RunAsync("history", "lb-1/ct_map", "--key", $"port={other}")).Code);
        var watch = await log.RunAsync("watch", "lb-1/ct_map", "--from", "2", "--count", "1", "--json");
        Assert.Equal(port, JsonDocument.Parse(watch.Lines[0]).RootElement.GetProperty("formatted").GetProperty("key").GetProperty("port").ToString());
        Assert.Contains(key, (await log.RunAsync("watch", "lb-1/ct_map", "--from", "2", "--count", "1")).Output, StringComparison.Ordinal);
        Assert.Equal(port, await log.QueryAsync("select key->>'port' from audit.changes where source = 'lb-1' and version = 2"));
        Assert.Equal(0, (await log.RunAsync("audit", "view", "lb-1/ct_map")).Code);
        Assert.Equal(port, await log.QueryAsync("select port::text from audit.\"lb-1_ct_map\" where version = 2"));
    }

    private async Task<CommandLog> LogAsync(MapFields? fields)
    {
        var log = await CommandLog.MakeAsync(postgres);
        log.Note(CommandLog.Map(Shape) with { Fields = fields });
        log.Change(EventKind.EntryAdded, [0xbb, 1, 7, 0], 10, 0, 0, 1);
        log.Change(EventKind.EntryAdded, [0xbc, 1, 8, 0], 10, 0, 0, 2);
        log.Change(EventKind.EntryDeleted, [0xbb, 1, 7, 0]);
        log.Change(EventKind.EntryAdded, [0xbb, 1, 7, 0], 10, 0, 0, 1);
        await log.CommitAsync();
        return log;
    }
}
