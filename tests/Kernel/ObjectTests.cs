using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

public sealed partial class ObjectTests
{
    [Fact]
    public void The_types_of_a_map_are_read_from_the_object_that_defines_it()
    {
        var path = Path.Combine(Path.GetTempPath(), $"maplog-object-{Guid.NewGuid():N}.o");
        try
        {
            File.WriteAllBytes(path, TestObject.Bytes("shapes"));
            var types = Btf.BtfTypes.Parse(ObjectBtf.Read(path));
            using BpfObject shapes = TestObject.Open("shapes");
            shapes.Load();
            using BpfMap sessions = shapes.Map("sessions");
            MapInfo info = sessions.Info;
            var (key, value) = types.FindMap("sessions")!.Value;
            Assert.Equal((info.KeySize, info.ValueSize), (types.SizeOf(key), types.SizeOf(value)));
            Assert.Equal([key], types.Find("struct flow"));

            File.WriteAllText(path, "no object");
            Assert.Contains("neither an object file", Assert.Throws<KernelException>(() => ObjectBtf.Read(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
        Assert.Contains("there is no such file", Assert.Throws<KernelException>(() => ObjectBtf.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_object_tells_its_programs_and_maps_before_it_is_loaded()
    {
        using BpfObject ring = TestObject.Open("ring");
        Assert.Equal(["count", "fill", "raw"], ring.Programs.Select(p => p.Name).Order());
        Assert.Equal("tracepoint/syscalls/sys_enter_getpgid", ring.Program("count").Section);
        Assert.Superset(new HashSet<string> { "ring", "state", "counts" }, ring.MapNames.ToHashSet());
        Assert.Contains("it has", Assert.Throws<ArgumentException>(() => ring.Program("absent")).Message);
        Assert.Contains("it has", Assert.Throws<ArgumentException>(() => ring.SetMaxEntries("absent", 1)).Message);
        Assert.Contains("not loaded", Assert.Throws<InvalidOperationException>(() => ring.Map("ring")).Message);
        Assert.Contains("not loaded", Assert.Throws<InvalidOperationException>(() => ring.Program("fill").TestRun(new byte[64])).Message);
    }

    [Fact]
    public void What_is_set_before_loading_is_what_the_kernel_gets()
    {
        using BpfObject ring = TestObject.Open("ring");
        ring.SetMaxEntries("ring", 8192);
        ring.SetMaxEntries("counts", 99);
        ring.SetAutoload("count", false);
        ring.SetAutoload("raw", false);
        byte[] constants = ring.Rodata();
        int at = constants.AsSpan().IndexOf(BitConverter.GetBytes(1ul));
        BinaryPrimitives.WriteUInt64LittleEndian(constants.AsSpan(at), 1000);
        ring.SetRodata(constants);
        Assert.Contains($"{constants.Length} bytes", Assert.Throws<ArgumentException>(() => ring.SetRodata(new byte[3])).Message);
        ring.Load();
        using BpfMap map = ring.Map("ring"), counts = ring.Map("counts");
        Assert.Equal(8192u, map.Info.MaxEntries);
        Assert.Equal(99u, counts.Info.MaxEntries);
        Assert.Contains("left out", Assert.Throws<InvalidOperationException>(() => ring.Program("count").Attach()).Message);
        Assert.Contains("loaded already", Assert.Throws<KernelException>(() => ring.SetMaxEntries("ring", 4096)).Message);

        using var reader = RingReader.Open(map);
        var command = new byte[64];
        command[0] = 8;
        Assert.Equal(2u, ring.Program("fill").TestRun(command));
        Assert.True(reader.TryRead(out RingRecord record));
        Assert.Equal(1000ul, BinaryPrimitives.ReadUInt64LittleEndian(record.Data));
    }

    [Fact]
    public void A_map_of_an_object_outlives_it()
    {
        BpfObject ring = Loaded();
        using BpfMap counts = ring.Map("counts");
        ring.Dispose();
        counts.Update(Bytes.Of(3), Bytes.Of(4, 8));
        Assert.True(counts.Lookup(Bytes.Of(3), new byte[8]));
        Assert.Throws<ObjectDisposedException>(() => ring.Map("counts"));
        Assert.Throws<ObjectDisposedException>(() => ring.Program("fill").Info());
    }

    [Fact]
    public void A_pinned_map_is_used_in_place_of_a_new_one()
    {
        using var pins = new PinFolder();
        using (BpfObject first = Loaded())
            first.PinMap("counts", pins["counts"]);
        using var pinned = BpfMap.OpenPinned(pins["counts"]);
        using BpfObject second = TestObject.Open("ring");
        second.ReuseMap("counts", pinned);
        second.Load();
        using BpfMap used = second.Map("counts");
        Assert.Equal(pinned.Info.Id, used.Info.Id);
    }

    [Fact]
    public void The_BTF_of_a_map_can_be_kept_and_given_to_another()
    {
        using BpfObject ring = Loaded();
        using BpfMap state = ring.Map("state");
        Assert.NotEqual(0u, state.Info.BtfId);
        byte[] btf = MapBtf.Read(state.Info.BtfId);
        Assert.Equal(0xeb9f, BinaryPrimitives.ReadUInt16LittleEndian(btf));
        using BtfFd again = MapBtf.Load(btf);
        using var copy = BpfMap.Create(
            "copy", state.Info.Type, state.Info.KeySize, state.Info.ValueSize, 1, state.Info.Flags, again, state.Info.BtfKeyTypeId, state.Info.BtfValueTypeId);
        Assert.Equal(state.Info.BtfValueTypeId, copy.Info.BtfValueTypeId);
        Assert.Equal(btf, MapBtf.Read(copy.Info.BtfId));
        Assert.Empty(MapBtf.Read(0));
    }

    [Fact]
    public void A_tracepoint_program_runs_while_its_link_is_held()
    {
        using BpfObject ring = Loaded();
        using BpfMap counts = ring.Map("counts");
        using var statistics = ProgramStatistics.Enable();
        using (BpfLink link = ring.Program("count").Attach())
        {
            Assert.Equal(5ul, Runs(counts, 5));
            ProgramInfo info = ring.Program("count").Info();
            Assert.Equal("count", info.Name);
            Assert.Equal(5ul, info.RunCount);
            Assert.True(info.RunTime > TimeSpan.Zero);
            Assert.Equal(0ul, info.RecursionMisses);
            Assert.Contains(counts.Info.Id, info.MapIds);
            Assert.Equal(16, info.Tag.Length);
            if (link.CanPin)
                Assert.Equal(info.Id, link.Info().ProgramId);
            Assert.Equal(info.Tag, ProgramInfo.ById(info.Id).Tag);
        }

        Assert.Equal(5ul, Runs(counts, 5));
    }

    [Fact]
    public void A_tracepoint_s_link_can_be_pinned_from_5_15()
    {
        using var pins = new PinFolder();
        using BpfObject ring = Loaded();
        using BpfLink link = ring.Program("count").Attach();
        Assert.Equal(PinsPerfEvents, link.CanPin);
        Assert.Equal(PinsPerfEvents, link.TryPin(pins["link"], out int errno));
        Assert.Equal(PinsPerfEvents ? 0 : Errno.Einval, errno);
        if (!PinsPerfEvents)
            Assert.Contains("5.15", Assert.Throws<KernelException>(() => link.Pin(pins["link"])).Message);
    }

    [Theory]
    [MemberData(nameof(Pinnable))]
    public void A_pinned_link_goes_on_without_its_maker(string program)
    {
        using var pins = new PinFolder();
        BpfObject ring = Loaded();
        using BpfMap counts = ring.Map("counts");
        using var statistics = ProgramStatistics.Enable();
        using (BpfLink link = ring.Program(program).Attach())
        {
            Assert.True(link.CanPin);
            Assert.True(link.TryPin(pins["link"], out int errno), Errno.Name(errno));
            Assert.False(link.TryPin(pins["link"], out errno));
            Assert.Equal(Errno.Eexist, errno);
        }

        uint id = ring.Program(program).Info().Id;
        ring.Dispose();
        ulong before = ProgramInfo.ById(id).RunCount;
        Runs(counts, 5);
        Assert.InRange(ProgramInfo.ById(id).RunCount, before + 5, ulong.MaxValue);

        using (var again = BpfLink.OpenPinned(pins["link"]))
        {
            Assert.Equal(id, again.Info().ProgramId);
            Assert.False(again.Detach()); // tracing links go with their last holder only
        }

        // The kernel frees the pin, and with it the link and the program, after a grace period.
        Assert.True(Bpffs.Unpin(pins["link"]));
        Assert.True(SpinWait.SpinUntil(() => IsGone(id), TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void A_map_s_pin_is_no_link_and_a_link_s_pin_is_no_map()
    {
        using var pins = new PinFolder();
        using BpfObject ring = Loaded();
        ring.PinMap("counts", pins["map"]);
        using BpfLink link = ring.Program("raw").Attach();
        link.Pin(pins["link"]);
        Assert.Contains("not", Assert.Throws<KernelException>(() => BpfMap.OpenPinned(pins["link"])).Message);
        Assert.Contains("something else", Assert.Throws<KernelException>(() => BpfMap.OpenPinned(pins["link"])).Message);
        Assert.Contains("something else", Assert.Throws<KernelException>(() => BpfLink.OpenPinned(pins["map"])).Message);
        Assert.Contains("nothing is pinned there", Assert.Throws<KernelException>(() => BpfLink.OpenPinned(pins["absent"])).Message);
    }

    [Fact]
    public void A_tracepoint_that_is_not_there_is_said_so()
    {
        using BpfObject ring = Loaded();
        var error = Assert.Throws<KernelException>(() => ring.Program("count").AttachTracepoint("syscalls", "sys_enter_absent"));
        Assert.Equal(Errno.Enoent, error.Errno);
        Assert.Contains("syscalls/sys_enter_absent", error.Message);
        Assert.Contains("no function of this name", error.Message);
    }

    [Fact]
    public void A_program_the_verifier_rejects_says_why()
    {
        using BpfObject refused = TestObject.Open("refused");
        refused.SetAutoload("hooks_nothing", false);
        var error = Assert.Throws<KernelException>(refused.Load);
        Assert.Equal(Errno.Eacces, error.Errno);
        Assert.Contains("the verifier rejected a program", error.Message);
        Assert.Contains("invalid access to packet", error.Message);
        Assert.Contains("(EACCES)", error.Message.Split('\n')[0]);
        Assert.Contains(error.Log, l => l.Contains("reads_beyond"));
        Assert.Contains("not loaded", Assert.Throws<InvalidOperationException>(() => refused.Program("reads_beyond").Attach()).Message);
    }

    [Fact]
    public void A_function_that_this_kernel_lacks_is_named()
    {
        using BpfObject refused = TestObject.Open("refused");
        refused.SetAutoload("reads_beyond", false);
        var error = Assert.Throws<KernelException>(refused.Load);
        Assert.Contains("no_such_function_anywhere", error.Message);
        refused.Dispose();

        using BpfObject again = TestObject.Open("refused");
        again.SetAutoload("reads_beyond", false);
        var target = Assert.Throws<KernelException>(() => again.SetAttachTarget("hooks_nothing", "no_other_function_either"));
        Assert.Contains("no_other_function_either", target.Message);
    }

    [Fact]
    public void Bytes_that_are_no_object_are_refused()
    {
        var error = Assert.Throws<KernelException>(() => BpfObject.Open(new byte[100], "junk"));
        Assert.Contains("junk", error.Message);
        Assert.Contains("build it again", error.Message);
    }

    [Fact]
    public void No_descriptor_is_left_open()
    {
        int before = KernelFds.Open().Count;
        for (int i = 0; i < 5; i++)
        {
            using BpfObject ring = Loaded();
            using BpfMap map = ring.Map("ring");
            using var reader = RingReader.Open(map);
            using BpfLink count = ring.Program("count").Attach(), raw = ring.Program("raw").Attach();
            using BpfObject refused = TestObject.Open("refused");
            Assert.Throws<KernelException>(refused.Load);
            Assert.Throws<KernelException>(() => ring.Program("count").AttachTracepoint("no", "such"));
        }

        Assert.Equal(before, KernelFds.Open().Count);
    }

    [Fact]
    public void The_kernel_s_functions_are_known_by_name()
    {
        using VmlinuxBtf btf = VmlinuxBtf.Load();
        Assert.True(btf.HasFunction("htab_map_update_elem"));
        Assert.False(btf.HasFunction("no_such_function_anywhere"));
        Assert.False(btf.HasFunction("bpf_map")); // a structure
        Assert.True(btf.HasStruct("bpf_map"));
        var addresses = Kallsyms.AddressesOf("htab_map_delete_elem", "no_such_function_anywhere", "array_map_update_elem");
        Assert.Equal(["array_map_update_elem", "htab_map_delete_elem"], addresses.Keys.Order());
        Assert.All(addresses.Values, address => Assert.True(address > ulong.MaxValue / 2));
    }

    public static TheoryData<string> Pinnable() => PinsPerfEvents ? ["raw", "count"] : ["raw"];

    private static bool PinsPerfEvents => Environment.OSVersion.Version >= new Version(5, 15);

    private static BpfObject Loaded()
    {
        BpfObject ring = TestObject.Open("ring");
        ring.Load();
        return ring;
    }

    private static bool IsGone(uint program)
    {
        Thread.Sleep(5);
        try
        {
            _ = ProgramInfo.ById(program);
            return false;
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            return true;
        }
    }

    /// <summary>Calls what the tracepoint program counts, and gives its count under the marker.</summary>
    private static ulong Runs(BpfMap counts, int calls)
    {
        for (int i = 0; i < calls; i++)
            _ = GetProcessGroup(0);
        var value = new byte[8];
        return counts.Lookup(Bytes.Of(7), value) ? BinaryPrimitives.ReadUInt64LittleEndian(value) : 0;
    }

    [LibraryImport("libc", EntryPoint = "getpgid")]
    private static partial int GetProcessGroup(int process);
}
