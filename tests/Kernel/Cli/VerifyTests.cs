using System.Text.Json;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;

namespace Maplog.Tests.Kernel.Cli;

public sealed class VerifyTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_map_that_holds_what_its_log_says_is_equal()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        using var folder = new PinFolder();
        using var map = BpfMap.Create("ct_map", MapType.Hash, 4, 8, 64);
        map.Pin(folder["ct_map"]);
        await RecordAsync(log, map, [1, 2, 3]);
        foreach (var name in new[] { folder["ct_map"], $"{map.Info.Id}" })
        {
            var run = await log.RunAsync("verify", "lb-1/ct_map", name);
            Assert.Equal("", run.Error);
            Assert.Equal(0, run.Code);
            Assert.Equal($"equal: lb-1/ct_map at version 4 and map ct_map (id {map.Info.Id}, Hash), 3 entries.\n", run.Output);
        }
    }

    [Fact]
    public async Task Each_differing_key_is_shown_with_both_values()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        using var map = BpfMap.Create("ct_map", MapType.Hash, 4, 2, 64);
        log.Note(CommandLog.Map(Shape(map)));
        log.Change(EventKind.EntryAdded, Bytes.Of(1), 1, 0);
        log.Change(EventKind.EntryAdded, Bytes.Of(2), 2, 0);
        log.Change(EventKind.EntryAdded, Bytes.Of(3), 3, 0);
        await log.CommitAsync();
        map.Update(Bytes.Of(1), [1, 0]);
        map.Update(Bytes.Of(2), [9, 9]);
        map.Update(Bytes.Of(4), [4, 0]);

        var run = await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}");
        Assert.Equal(1, run.Code);
        Assert.Equal(
            ["different 02000000  log 0200  map 0909", "extra     04000000  log -  map 0400", "missing   03000000  log 0300  map -"],
            run.Lines[1..].Order());

        var json = JsonDocument.Parse((await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}", "--json", "--limit", "1")).Output).RootElement;
        Assert.False(json.GetProperty("equal").GetBoolean());
        Assert.Equal(3, json.GetProperty("differenceCount").GetInt32());
        Assert.Equal(1, json.GetProperty("differences").GetArrayLength());
    }

    [Fact]
    public async Task Fields_that_are_volatile_are_not_compared()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        using var map = BpfMap.Create("ct_map", MapType.Hash, 4, 8, 64);
        log.Note(CommandLog.Map(Shape(map)));
        log.Change(EventKind.EntryAdded, Bytes.Of(1), 1, 0, 0, 0, 7, 0, 0, 0);
        await log.CommitAsync();
        map.Update(Bytes.Of(1), [1, 0, 0, 0, 9, 1, 0, 0]);
        Assert.Equal(1, (await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}")).Code);
        Assert.Equal(0, (await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}", "--volatile", "value[4:4]")).Code);
        Assert.Equal(1, (await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}", "--volatile", "value[4:1]")).Code);
        foreach (var (field, sentence) in new[] { ("value[4:5]", "have no bytes 'value[4:5]'"), ("value.packets", "have no bytes 'value.packets'"), ("packets", "'packets' does not name bytes of a value") })
        {
            var run = await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}", "--volatile", field);
            Assert.Equal(2, run.Code);
            Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Waiting_sees_the_map_become_equal()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        using var map = BpfMap.Create("ct_map", MapType.Hash, 4, 8, 64);
        await RecordAsync(log, map, [1]);
        map.Update(Bytes.Of(2), Bytes.Of(2, 8));

        var run = log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}", "--wait", "60");
        log.Change(EventKind.EntryAdded, Bytes.Of(2), Bytes.Of(2, 8));
        await log.CommitAsync();
        Assert.Equal(0, (await run).Code);
    }

    [Theory]
    [InlineData(MapType.Array)]
    [InlineData(MapType.PerCpuArray)]
    public async Task Entries_of_an_array_that_were_never_written_are_no_difference(MapType type)
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        using var map = BpfMap.Create("ct_map", type, 4, 8, 16);
        await RecordAsync(log, map, [3]);
        Assert.Equal(0, (await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}")).Code);
        var value = new byte[map.Info.ValueBytes];
        value[^1] = 1;
        map.Update(Bytes.Of(5), value);
        Assert.Equal(1, (await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}")).Code);
    }

    [Fact]
    public async Task Prefixes_of_a_trie_are_equal_whatever_their_other_bits()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        using var map = BpfMap.Create("ct_map", MapType.LpmTrie, 8, 4, 16);
        log.Note(CommandLog.Map(Shape(map)));
        log.Change(EventKind.EntryAdded, Bytes.Prefix(8, 10, 0, 0, 0), Bytes.Of(1));
        await log.CommitAsync();
        map.Update(Bytes.Prefix(8, 10, 1, 2, 3), Bytes.Of(1));
        Assert.Equal(0, (await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}")).Code);
    }

    [Fact]
    public async Task An_LRU_map_may_have_evicted_unless_strict()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        using var map = BpfMap.Create("ct_map", MapType.LruHash, 4, 8, 64);
        await RecordAsync(log, map, [1, 2]);
        map.Delete(Bytes.Of(1));
        var run = await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}");
        Assert.Equal(0, run.Code);
        Assert.Contains("does not have 1 entry of the log", run.Output, StringComparison.Ordinal);
        Assert.Equal(1, (await log.RunAsync("verify", "lb-1/ct_map", $"{map.Info.Id}", "--strict")).Code);
    }

    [Fact]
    public async Task A_map_of_another_shape_and_one_that_is_not_there_are_a_sentence_each()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        using var map = BpfMap.Create("ct_map", MapType.Hash, 4, 8, 64);
        await RecordAsync(log, map, [1]);
        using var other = BpfMap.Create("ct_map_x", MapType.Hash, 4, 16, 64);
        var shape = await log.RunAsync("verify", "lb-1/ct_map", $"{other.Info.Id}");
        Assert.Equal(1, shape.Code);
        Assert.Contains("keys of 4 and values of 16 bytes, the log's is hash with 4 and 8", shape.Error, StringComparison.Ordinal);

        var pin = await log.RunAsync("verify", "lb-1/ct_map", "/sys/fs/bpf/maplog_test_nothing");
        Assert.Equal(1, pin.Code);
        Assert.Contains("nothing is pinned there", pin.Error, StringComparison.Ordinal);

        var name = await log.RunAsync("verify", "lb-1/ct_map", "nomap.nomap");
        Assert.Equal(2, name.Code);
        Assert.Contains("no map named 'nomap.nomap'", name.Error, StringComparison.Ordinal);
    }

    private static MapShape Shape(BpfMap map) => new(
        (int)map.Info.Type, map.Info.KeySize, map.Info.ValueSize, map.Info.MaxEntries, (int)map.Info.Flags, map.Info.Type.IsPerCpu() ? PossibleCpus.Count : 0);

    /// <summary>Writes entries into both.</summary>
    private static async Task RecordAsync(CommandLog log, BpfMap map, int[] keys)
    {
        log.Note(CommandLog.Map(Shape(map)));
        foreach (var key in keys)
        {
            var value = Bytes.Of(key, map.Info.ValueBytes);
            map.Update(Bytes.Of(key), value);
            log.Change(EventKind.EntryAdded, Bytes.Of(key), value);
        }
        await log.CommitAsync();
    }
}
