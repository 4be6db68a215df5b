using System.Text.Json;
using Maplog.Btf;
using Maplog.Cli.Describing;
using Maplog.Events;

namespace Maplog.Cli.Output;

/// <summary>
/// Keys and values by field, as people write them: <c>saddr=10.0.0.1,dport=443</c>, which <c>--key</c> accepts too; keys of a trie as
/// networks, <c>10.0.0.0/8</c>. Bytes without a description are in hex.
/// </summary>
internal sealed class FieldFormat
{
    private readonly MapShape _shape;
    private readonly bool _hasNetworks;

    /// <param name="map">The map of the bytes.</param>
    /// <param name="descriptions">Their meaning; null: show hex.</param>
    public FieldFormat(MapOpened map, Descriptions? descriptions)
    {
        _shape = map.Shape;
        var fields = descriptions?.Of(map);
        KeyType = fields?.Key;
        ValueType = fields?.Value;
        _hasNetworks = descriptions is not null && LpmPrefix.Applies(_shape, KeyType);
    }

    /// <summary>The meaning of a key; null: unknown.</summary>
    public FieldType? KeyType { get; }

    /// <summary>The meaning of a value (of one CPU); null: unknown.</summary>
    public FieldType? ValueType { get; }

    public string Key(ReadOnlySpan<byte> key) => _hasNetworks ? LpmPrefix.Text(key) : Text(KeyType, key);

    public string Value(ReadOnlySpan<byte> value)
    {
        if (_shape.PossibleCpus == 0)
            return Text(ValueType, value);
        var texts = new List<string>();
        for (var cpu = 0; cpu < _shape.PossibleCpus; cpu++)
            texts.Add($"cpu{cpu}: {Text(ValueType, OfCpu(value, cpu))}");
        return string.Join("  ", texts);
    }

    /// <summary>
    /// The property key as in audit.changes in SQL: by field, otherwise a string in hex; and for a trie the property network.
    /// </summary>
    public void WriteKey(Utf8JsonWriter json, ReadOnlySpan<byte> key)
    {
        json.WritePropertyName("key");
        Write(json, KeyType, key);
        if (_hasNetworks)
            json.WriteString("network", LpmPrefix.Text(key));
    }

    /// <summary>A value as in audit.changes in SQL; for the per-CPU kinds an array.</summary>
    public void WriteValue(Utf8JsonWriter json, ReadOnlySpan<byte> value)
    {
        if (_shape.PossibleCpus == 0)
        {
            Write(json, ValueType, value);
            return;
        }
        json.WriteStartArray();
        for (var cpu = 0; cpu < _shape.PossibleCpus; cpu++)
            Write(json, ValueType, OfCpu(value, cpu));
        json.WriteEndArray();
    }

    /// <summary>The property formatted of an object with key and value as bytes; nothing if nothing is known.</summary>
    public void WriteFormatted(Utf8JsonWriter json, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool hasValue)
    {
        if (KeyType is null && ValueType is null && !_hasNetworks)
            return;
        json.WriteStartObject("formatted");
        WriteKey(json, key);
        if (hasValue)
        {
            json.WritePropertyName("value");
            WriteValue(json, value);
        }
        json.WriteEndObject();
    }

    /// <summary>Names of the columns of a table: <c>key.saddr</c> …; one column if nothing is known.</summary>
    public IReadOnlyList<string> Columns() =>
        [.. KeyLeaves().Select(l => l.Path), .. Enumerable.Range(0, Cpus).SelectMany(cpu => Leaves(_shape.PossibleCpus == 0 ? "value" : $"value.cpu{cpu}", ValueType).Select(l => l.Path))];

    /// <summary>The cells of a row under <see cref="Columns"/>.</summary>
    public IEnumerable<string> Cells(byte[] key, byte[] value)
    {
        foreach (var leaf in KeyLeaves())
            yield return _hasNetworks ? LpmPrefix.Text(key) : Cell(leaf, key);
        for (var cpu = 0; cpu < Cpus; cpu++)
        {
            var bytes = _shape.PossibleCpus == 0 ? value : OfCpu(value, cpu).ToArray();
            foreach (var leaf in Leaves("value", ValueType))
                yield return Cell(leaf, bytes);
        }
    }

    // A network is one cell.
    private IEnumerable<(string Path, FieldType? Type, int At)> KeyLeaves() => _hasNetworks ? [("key", null, 0)] : Leaves("key", KeyType);

    private int Cpus => Math.Max(1, _shape.PossibleCpus);

    private static string Cell((string Path, FieldType? Type, int At) leaf, byte[] bytes) =>
        leaf.Type is null ? Hex.Of(bytes) : FieldJson.Text(leaf.Type, bytes.AsSpan(leaf.At));

    private static IEnumerable<(string Path, FieldType? Type, int At)> Leaves(string path, FieldType? type, int at = 0) =>
        type?.Kind == FieldKind.Struct ? type.Fields!.SelectMany(f => Leaves($"{path}.{f.Name}", f, at + f.At)) : [(path, type, at)];

    private static string Text(FieldType? type, ReadOnlySpan<byte> bytes)
    {
        if (type is null)
            return Hex.Of(bytes);
        if (type.Kind != FieldKind.Struct)
            return FieldJson.Text(type, bytes);
        var text = new System.Text.StringBuilder();
        foreach (var (path, leaf, at) in Leaves("", type))
            text.Append(text.Length > 0 ? "," : "").Append(path.AsSpan(1)).Append('=').Append(FieldJson.Text(leaf!, bytes[at..]));
        return text.ToString();
    }

    private static void Write(Utf8JsonWriter json, FieldType? type, ReadOnlySpan<byte> bytes)
    {
        if (type is null)
            json.WriteStringValue(Hex.Of(bytes));
        else
            FieldJson.Write(json, type, bytes);
    }

    private ReadOnlySpan<byte> OfCpu(ReadOnlySpan<byte> value, int cpu) => value.Slice(cpu * ((_shape.ValueSize + 7) / 8 * 8), _shape.ValueSize);
}
