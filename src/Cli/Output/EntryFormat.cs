using System.Text.Json;
using Maplog.Btf;
using Maplog.Events;

namespace Maplog.Cli.Output;

/// <summary>
/// Entries of one map in the format of <c>bpftool -j map dump</c>: the bytes, and the fields by the map's BTF only. All other output uses
/// the map's description (<see cref="FieldFormat"/>).
/// </summary>
internal sealed class EntryFormat
{
    private readonly MapShape _shape;
    private readonly BtfJson? _json;
    private readonly uint _keyType;
    private readonly uint _valueType;

    /// <param name="map">The map as the log describes it.</param>
    /// <param name="hexOnly">Ignore its BTF.</param>
    public EntryFormat(MapOpened map, bool hexOnly)
    {
        _shape = map.Shape;
        if (hexOnly || map.Btf is not { Length: > 0 } || map.BtfValueType == 0)
            return;
        try
        {
            var types = BtfTypes.Parse(map.Btf);
            // A map of global data has a value type only; its key is an index.
            _keyType = map.BtfKeyType != 0 && types.SizeOf(map.BtfKeyType) == _shape.KeySize ? map.BtfKeyType : 0;
            _valueType = types.SizeOf(map.BtfValueType) == _shape.ValueSize ? map.BtfValueType : 0;
            _json = _valueType != 0 ? new BtfJson(types) : null;
        }
        catch (FormatException e)
        {
            Lack = $"The BTF of {map.Name} cannot be used, so its bytes are shown in hex: {e.Message}";
        }
    }

    /// <summary>A sentence why the map's BTF is not used although it exists; otherwise null.</summary>
    public string? Lack { get; }

    /// <summary>The properties key, value (or values) and formatted of an object that the caller has begun.</summary>
    public void Write(Utf8JsonWriter json, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        json.WritePropertyName("key");
        Hex.WriteArray(json, key);
        WriteValue(json, value, formatted: false);
        WriteFormatted(json, key, value);
    }

    private void WriteFormatted(Utf8JsonWriter json, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (_json is null)
            return;
        json.WriteStartObject("formatted");
        if (_keyType != 0)
        {
            json.WritePropertyName("key");
            _json.Write(json, _keyType, key);
        }
        WriteValue(json, value, formatted: true);
        json.WriteEndObject();
    }

    private void WriteValue(Utf8JsonWriter json, ReadOnlySpan<byte> value, bool formatted)
    {
        if (_shape.PossibleCpus == 0)
        {
            json.WritePropertyName("value");
            WriteOne(json, value, formatted);
            return;
        }
        json.WriteStartArray("values");
        for (var cpu = 0; cpu < _shape.PossibleCpus; cpu++)
        {
            json.WriteStartObject();
            json.WriteNumber("cpu", cpu);
            json.WritePropertyName("value");
            WriteOne(json, OfCpu(value, cpu), formatted);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteOne(Utf8JsonWriter json, ReadOnlySpan<byte> value, bool formatted)
    {
        if (formatted)
            _json!.Write(json, _valueType, value);
        else
            Hex.WriteArray(json, value);
    }

    private ReadOnlySpan<byte> OfCpu(ReadOnlySpan<byte> value, int cpu) => value.Slice(cpu * ((_shape.ValueSize + 7) / 8 * 8), _shape.ValueSize);
}
