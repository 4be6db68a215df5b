using System.Text.Json;

namespace Maplog.Tests.Vm;

/// <summary>What <c>bpftool -j map dump</c> says of a map, key to value in hex; of a per-CPU map all CPUs' values one after the other, as bpf(2) reads them.</summary>
internal static class MapDump
{
    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        using var dump = JsonDocument.Parse(File.ReadAllBytes(path));
        return dump.RootElement.EnumerateArray().ToDictionary(e => Hex(e.GetProperty("key")), ValueOf);
    }

    private static string ValueOf(JsonElement entry) => entry.TryGetProperty("values", out var slots)
        ? string.Concat(slots.EnumerateArray().OrderBy(s => s.GetProperty("cpu").GetInt32()).Select(s => Padded(Hex(s.GetProperty("value")))))
        : Hex(entry.GetProperty("value"));

    // A slot is a multiple of 8 bytes.
    private static string Padded(string slot) => slot.PadRight((slot.Length + 15) / 16 * 16, '0');

    private static string Hex(JsonElement bytes) => string.Concat(bytes.EnumerateArray().Select(b => b.GetString()![2..]));
}
