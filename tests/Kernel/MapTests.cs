using System.Diagnostics;
using System.Text.Json;
using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

public sealed class MapTests
{
    [Fact]
    public void Info_says_what_bpftool_says()
    {
        using var map = BpfMap.Create("info_test.1", MapType.Hash, 24, 64, 1000, MapFlags.NoPreallocation);
        using JsonDocument said = JsonDocument.Parse(Bpftool($"-j map show id {map.Info.Id}"));
        JsonElement root = said.RootElement;
        Assert.Equal(root.GetProperty("name").GetString(), map.Info.Name);
        Assert.Equal("hash", root.GetProperty("type").GetString());
        Assert.Equal(MapType.Hash, map.Info.Type);
        Assert.Equal(root.GetProperty("bytes_key").GetInt32(), map.Info.KeySize);
        Assert.Equal(root.GetProperty("bytes_value").GetInt32(), map.Info.ValueSize);
        Assert.Equal(64, map.Info.ValueBytes);
        Assert.Equal(root.GetProperty("max_entries").GetUInt32(), map.Info.MaxEntries);
        Assert.Equal((uint)root.GetProperty("flags").GetInt32(), map.Info.Flags);
        Assert.Equal(root.GetProperty("frozen").GetInt32() == 1, map.IsFrozen());
    }

    [Fact]
    public void What_is_written_is_read_and_what_bpftool_reads()
    {
        using var map = BpfMap.Create("rw", MapType.Hash, 4, 8, 16);
        var value = new byte[8];
        Assert.False(map.Lookup(Bytes.Of(7), value));
        map.Update(Bytes.Of(7), Bytes.Of(70, 8), UpdateMode.NoExist);
        Assert.True(map.Lookup(Bytes.Of(7), value));
        Assert.Equal(Bytes.Of(70, 8), value);
        using (JsonDocument said = JsonDocument.Parse(Bpftool($"-j map dump id {map.Info.Id}")))
        {
            var bytes = said.RootElement[0].GetProperty("value").EnumerateArray().Select(b => Convert.ToByte(b.GetString(), 16));
            Assert.Equal(Bytes.Of(70, 8), bytes);
        }

        Assert.True(map.Delete(Bytes.Of(7)));
        Assert.False(map.Delete(Bytes.Of(7)));
        Assert.False(map.Lookup(Bytes.Of(7), value));
    }

    [Fact]
    public void An_update_keeps_to_its_mode()
    {
        using var map = BpfMap.Create("modes", MapType.Hash, 4, 4, 16);
        Assert.Equal(Errno.Enoent, map.TryUpdate(Bytes.Of(1), Bytes.Of(1), UpdateMode.Exist));
        var absent = Assert.Throws<KernelException>(() => map.Update(Bytes.Of(1), Bytes.Of(1), UpdateMode.Exist));
        Assert.Equal(Errno.Enoent, absent.Errno);
        map.Update(Bytes.Of(1), Bytes.Of(1));
        var present = Assert.Throws<KernelException>(() => map.Update(Bytes.Of(1), Bytes.Of(1), UpdateMode.NoExist));
        Assert.Contains("EEXIST", present.Message);
        Assert.Contains("exists already", present.Message);
    }

    [Fact]
    public void A_full_map_says_that_it_is_full()
    {
        using var map = BpfMap.Create("full", MapType.Hash, 4, 4, 3);
        Assert.Equal(3, map.UpdateBatch(Bytes.Of([1, 2, 3]), Bytes.Of([1, 2, 3]), 3));
        var error = Assert.Throws<KernelException>(() => map.Update(Bytes.Of(4), Bytes.Of(4)));
        Assert.Equal(Errno.E2big, error.Errno);
        Assert.Contains("full", error.Message);
        Assert.Contains("max_entries is 3", error.Message);
    }

    [Fact]
    public void A_frozen_map_says_that_it_is_frozen()
    {
        using var map = BpfMap.Create("frozen", MapType.Hash, 4, 4, 3);
        map.Update(Bytes.Of(1), Bytes.Of(1));
        Assert.False(map.IsFrozen());
        map.Freeze();
        Assert.True(map.IsFrozen());
        var one = Assert.Throws<KernelException>(() => map.Update(Bytes.Of(2), Bytes.Of(2)));
        Assert.Equal(Errno.Eperm, one.Errno);
        Assert.Contains("frozen", one.Message);
        var many = Assert.Throws<KernelException>(() => map.UpdateBatch(Bytes.Of([2, 3]), Bytes.Of([2, 3]), 2));
        Assert.Equal(0, many.Done);
        Assert.Contains("frozen", many.Message);
        Assert.Contains("0 of 2", many.Message);
        Assert.Contains("frozen", Assert.Throws<KernelException>(() => map.Delete(Bytes.Of(1))).Message);
        Assert.Contains("frozen already", Assert.Throws<KernelException>(map.Freeze).Message);
        Assert.Single(map.ReadAll());
    }

    [Fact]
    public void Keys_and_values_of_another_length_never_reach_the_kernel()
    {
        using var map = BpfMap.Create("lengths", MapType.Hash, 4, 8, 3);
        Assert.Throws<ArgumentException>(() => map.Update(new byte[3], new byte[8]));
        Assert.Throws<ArgumentException>(() => map.Update(new byte[4], new byte[7]));
        Assert.Throws<ArgumentException>(() => map.Lookup(new byte[4], new byte[7]));
        Assert.Throws<ArgumentException>(() => map.Delete(new byte[5]));
        Assert.Throws<ArgumentException>(() => map.UpdateBatch(new byte[8], new byte[15], 2));
        Assert.Throws<ArgumentException>(() => map.DeleteBatch(new byte[7], 2));
        Assert.Throws<ArgumentException>(() => map.Scan().Next(new byte[3], new byte[8]));
    }

    [Theory]
    [InlineData("sixteen_letters_")]
    [InlineData("a b")]
    [InlineData("a-b")]
    public void A_name_the_kernel_would_refuse_or_cut_is_refused_before(string name) =>
        Assert.Contains(name, Assert.Throws<ArgumentException>(() => BpfMap.Create(name, MapType.Hash, 4, 4, 1)).Message);

    [Fact]
    public void Maps_are_found_by_name_and_a_name_may_be_shared()
    {
        string name = "n_" + Guid.NewGuid().ToString("N")[..10];
        Assert.Empty(BpfMap.FindByName(name));
        using var first = BpfMap.Create(name, MapType.Hash, 4, 4, 1);
        using var second = BpfMap.Create(name, MapType.Array, 4, 4, 1);
        Assert.Equal([first.Info.Id, second.Info.Id], BpfMap.FindByName(name));
        Assert.Contains(first.Info.Id, BpfMap.Ids());
        using var again = BpfMap.OpenById(first.Info.Id);
        Assert.Equal(first.Info, again.Info);
    }

    [Fact]
    public void An_id_that_is_not_there_is_said_so()
    {
        uint id;
        using (var map = BpfMap.Create("gone", MapType.Hash, 4, 4, 1))
            id = map.Info.Id;
        var error = Assert.Throws<KernelException>(() => BpfMap.OpenById(id + 1_000_000));
        Assert.Equal(Errno.Enoent, error.Errno);
        Assert.Contains("there is no such map", error.Message);
    }

    [Fact]
    public void A_descriptor_opened_for_reading_cannot_write()
    {
        using var map = BpfMap.Create("ro_fd", MapType.Hash, 4, 4, 4);
        map.Update(Bytes.Of(1), Bytes.Of(1));
        using var reader = BpfMap.OpenById(map.Info.Id, MapAccess.Read);
        Assert.True(reader.Lookup(Bytes.Of(1), new byte[4]));
        var error = Assert.Throws<KernelException>(() => reader.Update(Bytes.Of(1), Bytes.Of(1)));
        Assert.Equal(Errno.Eperm, error.Errno);
        Assert.Contains("opened without this right", error.Message);
    }

    [Fact]
    public void A_closed_map_is_not_used()
    {
        var map = BpfMap.Create("closed", MapType.Hash, 4, 4, 4);
        map.Dispose();
        Assert.Throws<ObjectDisposedException>(() => map.Update(Bytes.Of(1), Bytes.Of(1)));
    }

    [Fact]
    public void No_descriptor_is_left_open()
    {
        using var pins = new PinFolder();
        int before = KernelFds.Open().Count;
        for (int i = 0; i < 20; i++)
        {
            using var map = BpfMap.Create("leak", MapType.Hash, 4, 4, 4);
            map.Pin(pins["leak"], replace: true);
            using var pinned = BpfMap.OpenPinned(pins["leak"]);
            using var byId = BpfMap.OpenById(map.Info.Id);
            _ = BpfMap.FindByName("leak");
            Assert.Throws<KernelException>(() => BpfMap.OpenPinned(pins["absent"]));
            Assert.Throws<KernelException>(() => BpfMap.Create("bad", MapType.Array, 5, 4, 4));
        }

        Assert.Equal(before, KernelFds.Open().Count);
    }

    [Fact]
    public void The_hot_calls_allocate_nothing()
    {
        using var map = BpfMap.Create("hot", MapType.Hash, 4, 8, 1000);
        using var trie = BpfMap.Create("hot_trie", MapType.LpmTrie, 8, 8, 1000);
        byte[] keys = Bytes.Of(Enumerable.Range(0, 100)), values = Bytes.Of(Enumerable.Range(0, 100), 8), value = new byte[8];
        byte[] wide = Bytes.Prefix(8, 10), narrow = Bytes.Prefix(24, 10, 0, 1);
        trie.Update(wide, value);
        trie.Update(narrow, value);
        Round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Round()
        {
            map.Update(keys.AsSpan(0, 4), values.AsSpan(0, 8));
            map.Lookup(keys.AsSpan(0, 4), value);
            map.Lookup(keys.AsSpan(4, 4), value);
            map.Delete(keys.AsSpan(0, 4));
            map.Delete(keys.AsSpan(0, 4));
            map.UpdateBatch(keys, values, 100);
            map.DeleteBatch(keys, 50);
            map.DeleteBatch(keys, 100);
            trie.Lookup(narrow, value);
        }
    }

    private static string Bpftool(string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("bpftool", arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
