using System.Diagnostics;
using System.Text.Json;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;

namespace Maplog.Tests.Kernel.Cli;

public sealed class DumpTests(TestPostgres postgres)
{
    /// <summary>A flow, a session: see tests/bpf/shapes.bpf.c.</summary>
    private static readonly byte[] Flow = [10, 0, 0, 1, 10, 0, 0, 2, 0x50, 0, 0xbb, 1, 6, 0, 0, 0];

    private static readonly byte[] Session =
    [
        7, 0, 0, 0, 1, (byte)'a', (byte)'l', (byte)'i', (byte)'c', (byte)'e', 0, 0, 0, 0, 0, 0,
        1, 2, 3, 4, 5, 6, 7, 8, 0xfe, 0xff, 0xff, 0xff, 0x25, 0x01, 0xfd, 0xff,
        0x10, 0x20, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0, 0xfe, 0xff, 2, 0, 3, 0,
        1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0,
    ];

    [Theory]
    [InlineData("sessions")]
    [InlineData("per_cpu")]
    [InlineData("untyped")]
    public async Task As_json_it_is_what_bpftool_prints_of_the_live_map(string name)
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        using var shapes = TestObject.Open("shapes");
        shapes.Load();
        using var map = shapes.Map(name);
        var info = map.Info;
        var shape = new MapShape((int)info.Type, info.KeySize, info.ValueSize, info.MaxEntries, (int)info.Flags, info.Type.IsPerCpu() ? PossibleCpus.Count : 0);
        var key = Flow[..info.KeySize];
        var value = new byte[info.ValueBytes];
        (name == "sessions" ? Session : Flow[..Math.Min(Flow.Length, value.Length)]).CopyTo(value, 0);
        log.Note(CommandLog.Map(shape, MapBtf.Read(info.BtfId), info.BtfKeyTypeId, info.BtfValueTypeId));
        log.Change(EventKind.EntryAdded, key, value);
        await log.CommitAsync();
        map.Update(key, value);

        var ours = await log.RunAsync("dump", "lb-1/ct_map", "--json");
        Assert.Equal("", ours.Error);
        Assert.Equal(Indented(Bpftool("-j", "map", "dump", "id", $"{info.Id}")), Indented(ours.Output));
    }

    private static string Indented(string json) => JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(json), JsonSerializerOptions.Web);

    private static string Bpftool(params string[] arguments)
    {
        using var bpftool = Process.Start(new ProcessStartInfo("bpftool", arguments) { RedirectStandardOutput = true })!;
        var output = bpftool.StandardOutput.ReadToEnd();
        bpftool.WaitForExit();
        return output;
    }
}
