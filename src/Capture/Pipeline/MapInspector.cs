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

    private const ushort WalkedTag = 1;

    private const int ChunkBytes = 4 << 20, MostInChunk = 16384, SweptAtOnce = 2048, MostKeysAtOnce = 1024;

    /// <summary>Nanoseconds after which a map that could not be read is tried again.</summary>
    private const long AgainAfter = 1_000_000_000;

    private const long AskFrozenEvery = 10_000_000_000;

    private Inspection? _chunk, _keys;
    private MapFold? _again;
    private MapScan? _scan;
    private long _scanBegan, _againSince, _spent;
    private ushort _mark;
    private bool _scanWanted, _sweepWanted, _isSweep, _isWhole, _beganFrozen;
    private long _mayScanAt, _askFrozenAt;
    private byte[]? _looked;

    /// <summary>Whether something was read that is not judged yet.</summary>
    public bool IsReading => _chunk is { IsPending: true } || _keys is { IsPending: true };

    /// <summary>Whether a scan is under way or wanted, or keys wait to be read back.</summary>
    public bool IsBusy => _scanWanted || IsScanning || IsSweeping || _again is { Count: > 0 } || IsReading;

    /// <summary>Whether a scan is wanted or under way, as fast as it goes. One that waits for the map to be readable is neither.</summary>
    public bool IsScanning => _scanWanted && Refusal == 0 || _scan is not null && !_isSweep;

    /// <summary>Why the map could not be read at the last attempt, an errno; 0: it could, or it is gone. A scan follows when it can be read.</summary>
    public int Refusal { get; private set; }

    /// <summary>Whether a scan as fast as it goes has begun.</summary>
    public bool HasBegun => _scan is not null && !_isSweep;

    /// <summary>Whether a scan of the background is wanted or under way.</summary>
    public bool IsSweeping => _sweepWanted || _scan is not null && _isSweep;

    /// <summary>Nanoseconds of the processor that the last scan of the background took; null: there was none.</summary>
    public long? SweepCost { get; private set; }

    /// <summary>Kernel time at which the last scan of the background began that came to its end; 0: none did.</summary>
    public long SweptAt { get; private set; }

    /// <summary>What entries are marked with that a scan has seen, or that need not be seen.</summary>
    public ushort CurrentMark => _mark;

    /// <summary>Whether a whole scan of the map as it was frozen is judged: whatever bpf(2) did to it is logged.</summary>
    public bool HasScannedFrozen { get; private set; }

    /// <summary>Scans the whole map as soon as the scan at hand, if any, is over; a slow one is given up for it.</summary>
    public void Scan() => _scanWanted = true;

    /// <summary>Scans the whole map in the background: a chunk at a time, given up for a scan that is wanted.</summary>
    /// <param name="isWhole">Whether volatile bytes count too.</param>
    public void Sweep(bool isWhole = false)
    {
        if (_scan is null)
            (_sweepWanted, _isWhole) = (true, isWhole);
    }

    /// <summary>Reads the key back once it has settled.</summary>
    /// <param name="key">The key.</param>
    /// <param name="now">By the kernel's clock.</param>
    /// <param name="isWalked">Whether a walk found the key, and no record did.</param>
    public void LookAgain(ReadOnlySpan<byte> key, long now, bool isWalked = false)
    {
        _again ??= new MapFold(map.Shape.KeySize, 0);
        if (_again.Count == 0)
            _againSince = now;
        var entry = _again.FindOrAdd(key, out var isNew);
        entry.Tag = isWalked && (isNew || entry.Tag == WalkedTag) ? WalkedTag : (ushort)0;
    }

    /// <summary>Whether the map holds this value for the key at this moment; an empty value asks whether it lacks the key.</summary>
    public bool Holds(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        using var open = Open();
        _looked ??= new byte[map.Shape.ValueBytes];
        try
        {
            if (open is null || open.Lookup(key, _looked) != (value.Length > 0))
                return false;
        }
        catch (KernelException e)
        {
            Refuse(e.Errno);
            return false;
        }
        map.KernelBytes?.Clear(_looked);
        return value.IsEmpty || value.SequenceEqual(_looked);
    }

    /// <summary>Does what is due. The map may be gone: then there is nothing to read, and nothing is judged.</summary>
    /// <param name="now">By the kernel's clock.</param>
    /// <param name="ringEnd">The ring's end.</param>
    /// <param name="ringCursor">How far it is read.</param>
    /// <param name="mayBegin">Whether a scan may begin.</param>
    public void Step(long now, ulong ringEnd, ulong ringCursor, bool mayBegin)
    {
        if (_keys is not null && _keys.IsDue(now, ringEnd, ringCursor))
        {
            _keys.Done();
            map.Judge(_keys, mark: null);
        }
        if (_chunk is not null && _chunk.IsDue(now, ringEnd, ringCursor))
        {
            _chunk.Done();
            var began = KernelClock.Now;
            map.Judge(_chunk, _mark);
            _spent += KernelClock.Now - began;
            if (_chunk.EndsScan)
                EndScan(finished: true);
        }
        if (_again is { Count: > 0 } && _keys is not { IsPending: true } && now - _againSince >= Inspection.Settle)
            ReadKeys();
        if (_scan is not null && _scanWanted && _isSweep && _chunk is not { IsPending: true })
            EndScan(finished: false);
        if (mayBegin && now >= _mayScanAt && _scan is null && (_scanWanted || _sweepWanted) && _keys is not { IsPending: true })
            BeginScan(now);
        if (_scan is not null && _chunk is not { IsPending: true })
            ReadChunk();
    }

    private void BeginScan(long now)
    {
        _isSweep = !_scanWanted;
        (_scanWanted, _sweepWanted) = (false, false);
        using var open = Open();
        if (open is null)
            return;
        var most = _isSweep ? SweptAtOnce : MostInChunk;
        _scan = open.Scan(most);
        (_scanBegan, _spent) = (now, 0);
        // The question costs more than the others about a map, and the answer changes once.
        var asks = !HasScannedFrozen && now >= _askFrozenAt;
        _beganFrozen = asks && open.IsFrozen();
        if (asks)
            _askFrozenAt = now + AskFrozenEvery;
        _mark ^= Mark;
        if (_chunk is null || _chunk.Room < RoomFor(map.Shape, most))
            _chunk = NewInspection(most);
    }

    private void ReadChunk()
    {
        using var open = Open();
        if (open is null)
        {
            EndScan(finished: false);
            return;
        }
        var readAt = KernelClock.Now;
        try
        {
            _scan!.Continue(open);
            var count = _scan.Next(_chunk!.Keys, _chunk.Values);
            _chunk.Present.AsSpan(0, count).Fill(true);
            _chunk.Begin(count, readAt, _isSweep ? Origin.InPlace : Origin.Scan, endsScan: count == 0, _isSweep && _isWhole);
            _spent += KernelClock.Now - readAt;
        }
        catch (KernelException e) when (e.Errno is Errno.Eagain)
        {
            // The walk was thrown back too often by deletes; the next one may be luckier.
            _scanWanted |= !_isSweep;
            EndScan(finished: false);
        }
        catch (KernelException e)
        {
            Refuse(e.Errno);
            EndScan(finished: false);
        }
    }

    private void EndScan(bool finished)
    {
        _scan = null;
        // A scan's room is large, and for once; a sweep's is small, and used again and again.
        if (!_isSweep)
            _chunk = null;
        if (finished)
        {
            HasScannedFrozen |= _beganFrozen;
            map.JudgeUnseen(_scanBegan, _mark);
            if (!_isSweep)
                map.Stream.Counters.Scans++;
            else
            {
                map.Stream.Counters.Sweeps++;
                (SweepCost, SweptAt) = (_spent, _scanBegan);
            }
        }
        else
            map.MarkAll(_mark ^= Mark);
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
        try
        {
            foreach (var entry in _again!)
            {
                if (count == _keys.Room)
                    break;
                entry.Key.CopyTo(_keys.Keys.AsSpan(count * map.Shape.KeySize));
                _keys.IsWalked[count] = entry.Tag == WalkedTag;
                _keys.Present[count] = open.Lookup(entry.Key, _keys.Values.AsSpan(count * map.Shape.ValueBytes, map.Shape.ValueBytes));
                count++;
                _again.Remove(entry);
            }
        }
        catch (KernelException e)
        {
            // The scan that follows reads these keys too.
            _again!.Clear();
            Refuse(e.Errno);
        }
        map.Stream.Counters.Ambiguous += count;
        _keys.Begin(count, readAt, Origin.ReadBack, endsScan: false);
    }

    /// <summary>Entries that are read at once: no more than the map can have, and no more than fit into a chunk.</summary>
    internal static int RoomFor(MapShape shape, int most) =>
        (int)Math.Max(1, Math.Min(ChunkBytes / ((long)shape.KeySize + shape.ValueBytes), Math.Min(most, shape.MaxEntries)));

    private Inspection NewInspection(int most) => new(map.Shape.KeySize, map.Shape.ValueBytes, RoomFor(map.Shape, most));

    /// <summary>Opens the map. Null: the map is gone, or may not be opened at present; in the second case a scan follows when it may.</summary>
    public BpfMap? Open()
    {
        var open = BpfMap.TryOpenById(map.Id, MapAccess.Read, out var errno);
        if (open is not null || errno == Errno.Enoent)
            Refusal = 0;
        else
            Refuse(errno);
        return open;
    }

    private void Refuse(int errno)
    {
        Refusal = errno;
        _scanWanted = true;
        _mayScanAt = KernelClock.Now + AgainAfter;
    }
}
