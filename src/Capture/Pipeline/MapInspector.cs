using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// Reads a captured map itself, beside its records: whole (a scan) or single keys (a read-back), a chunk at a time, and
/// never holding the map open in between. Each chunk waits as an <see cref="Inspection"/> until the fold may judge it.
/// </summary>
internal sealed class MapInspector(CapturedMap map)
{
    /// <summary>The bit of an entry's tag that a scan turns over on the entries it sees.</summary>
    public const ushort Mark = 0x8000;

    private const int ChunkBytes = 4 << 20, MostInChunk = 16384, MostKeysAtOnce = 1024;

    private Inspection? _chunk, _keys;
    private MapFold? _again;
    private BpfMap? _open;
    private MapScan? _scan;
    private long _scanBegan, _againSince;
    private ushort _mark;
    private bool _scanWanted;
    private byte[]? _looked;

    /// <summary>Whether something was read that is not judged yet.</summary>
    public bool IsReading => _chunk is { IsPending: true } || _keys is { IsPending: true } || _scan is not null;

    /// <summary>Whether a scan is under way or wanted, or keys wait to be read back.</summary>
    public bool IsBusy => _scanWanted || _again is { Count: > 0 } || IsReading;

    /// <summary>Scans the whole map as soon as the scan at hand, if any, is over.</summary>
    public void Scan() => _scanWanted = true;

    /// <summary>Reads the key back once it has settled.</summary>
    public void LookAgain(ReadOnlySpan<byte> key, long now)
    {
        _again ??= new MapFold(map.Shape.KeySize, 0);
        if (_again.Count == 0)
            _againSince = now;
        _again.FindOrAdd(key, out _);
    }

    /// <summary>Whether the map holds this value for the key at this moment; an empty value asks whether it lacks the key.</summary>
    public bool Holds(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        using var open = Open();
        _looked ??= new byte[map.Shape.ValueBytes];
        return open is not null && open.Lookup(key, _looked) == (value.Length > 0) && (value.IsEmpty || value.SequenceEqual(_looked));
    }

    /// <summary>Does what is due. The map may be gone: then there is nothing to read, and nothing is judged.</summary>
    public void Step(long now, ulong ringEnd, ulong ringCursor)
    {
        if (_keys is not null && _keys.IsDue(now, ringEnd, ringCursor))
        {
            _keys.Done();
            map.Judge(_keys, _mark);
        }
        if (_chunk is not null && _chunk.IsDue(now, ringEnd, ringCursor))
        {
            _chunk.Done();
            map.Judge(_chunk, _mark);
            if (_chunk.EndsScan)
                EndScan(finished: true);
        }
        if (_again is { Count: > 0 } && _keys is not { IsPending: true } && now - _againSince >= Inspection.Settle)
            ReadKeys();
        if (_scan is null && _scanWanted && _keys is not { IsPending: true })
            BeginScan(now);
        if (_scan is not null && _chunk is not { IsPending: true })
            ReadChunk();
    }

    private void BeginScan(long now)
    {
        _scanWanted = false;
        _open = Open();
        if (_open is null)
            return;
        _scan = _open.Scan(MostInChunk);
        _scanBegan = now;
        _mark ^= Mark;
        _chunk ??= NewInspection(MostInChunk);
    }

    private void ReadChunk()
    {
        var readAt = KernelClock.Now;
        try
        {
            var count = _scan!.Next(_chunk!.Keys, _chunk.Values);
            _chunk.Present.AsSpan(0, count).Fill(true);
            _chunk.Begin(count, readAt, Origin.Scan, endsScan: count == 0);
        }
        catch (KernelException e) when (e.Errno is Errno.Eagain)
        {
            // The walk was thrown back too often by deletes; the next one may be luckier.
            EndScan(finished: false);
            _scanWanted = true;
        }
    }

    private void EndScan(bool finished)
    {
        _open?.Dispose();
        (_open, _scan) = (null, null);
        if (finished)
            map.JudgeUnseen(_scanBegan, _mark);
    }

    private void ReadKeys()
    {
        using var open = Open();
        if (open is null)
        {
            _again!.Clear();
            return;
        }
        _keys ??= NewInspection(MostKeysAtOnce);
        var readAt = KernelClock.Now;
        var count = 0;
        foreach (var entry in _again!)
        {
            if (count == _keys.Room)
                break;
            entry.Key.CopyTo(_keys.Keys.AsSpan(count * map.Shape.KeySize));
            _keys.Present[count] = open.Lookup(entry.Key, _keys.Values.AsSpan(count * map.Shape.ValueBytes, map.Shape.ValueBytes));
            count++;
            _again.Remove(entry);
        }
        _keys.Begin(count, readAt, Origin.ReadBack, endsScan: false);
    }

    private Inspection NewInspection(int most)
    {
        var entry = map.Shape.KeySize + map.Shape.ValueBytes;
        return new Inspection(map.Shape.KeySize, map.Shape.ValueBytes, Math.Clamp(ChunkBytes / entry, 1, most));
    }

    private BpfMap? Open()
    {
        try
        {
            return BpfMap.OpenById(map.Id, MapAccess.Read);
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            return null;
        }
    }
}
