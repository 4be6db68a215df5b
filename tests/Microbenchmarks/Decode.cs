using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Maplog.Events;
using Maplog.Hooking;

namespace Maplog.Microbenchmarks;

/// <summary>A record of the hook read in place, and its changes' payloads written and read.</summary>
public class Decode
{
    private readonly Entries _entries = new();
    private readonly byte[] _record = new byte[RecordHeader.Size + Entries.Count * (Entries.KeySize + Entries.ValueSize)];
    private readonly byte[] _payload = new byte[ChangePayload.Size(6, Entries.KeySize, Entries.ValueSize)];

    [GlobalSetup]
    public void Fill()
    {
        ref var header = ref MemoryMarshal.AsRef<RecordHeader>(_record.AsSpan());
        (header.Operation, header.Count, header.KeySize, header.ValueSize) = (RecordOperation.Update, Entries.Count, Entries.KeySize, Entries.ValueSize);
        "ct_mon"u8.CopyTo(MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref header, 1))[(RecordHeader.Size - 16)..]);
        _entries.Keys.CopyTo(_record, RecordHeader.Size);
        _entries.Values.CopyTo(_record, RecordHeader.Size + _entries.Keys.Length);
    }

    [Benchmark(OperationsPerInvoke = Entries.Count)]
    public int Record_to_payloads()
    {
        ref readonly var header = ref RecordHeader.Of(_record);
        var comm = RecordHeader.CommOf(_record);
        var keys = _record.AsSpan(RecordHeader.Size, (int)(header.Count * header.KeySize));
        var values = _record.AsSpan(RecordHeader.Size + keys.Length);
        var written = 0;
        for (var i = 0; i < (int)header.Count; i++)
        {
            var change = new ChangeHeader { Origin = (Origin)header.Origin, Cpu = (ushort)header.Cpu, Tgid = header.Tgid, KernelTime = (long)header.Time, RecordIndex = (uint)i };
            written += ChangePayload.Write(_payload, change, comm, keys.Slice(i * (int)header.KeySize, (int)header.KeySize), values.Slice(i * (int)header.ValueSize, (int)header.ValueSize));
        }
        return written;
    }

    [Benchmark]
    public int Payload_read()
    {
        _ = ChangePayload.Write(_payload, default, "ct_mon"u8, _entries.Key(0), _entries.Value(0));
        var view = ChangePayload.Read(_payload);
        return view.Key[0] + view.Value[0] + view.Header.Cpu;
    }
}
