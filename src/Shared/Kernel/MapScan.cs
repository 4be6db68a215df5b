namespace Maplog.Kernel;

/// <summary>
/// Reads a whole map, a chunk at a time. Entries that stay in the map during the scan are returned at least once; an entry that is added,
/// removed or changed meanwhile may or may not be returned. Arrays return every index. A key can be returned twice: if the kernel walks by
/// key (all kinds except the hashes, and every kind without batches), the walk begins again when its present key has been deleted. After
/// <see cref="MostRestarts"/> restarts the scan gives up with EAGAIN, so it always ends; a larger chunk makes restarts rarer. In an LPM
/// trie, a prefix that is deleted while it is read can be returned with the value of a shorter prefix. Only one thread may use it at a
/// time.
/// </summary>
public sealed unsafe class MapScan
{
    /// <summary>Restarts after which a scan gives up.</summary>
    public const int MostRestarts = 64;

    private BpfMap _map;
    private readonly int _keySize, _valueBytes, _chunk;

    /// <summary>The position of the kernel's walk: a bucket's number (u32) for hash batches, otherwise a key.</summary>
    private readonly byte[] _cursor, _next, _first;
    private bool _started, _ended, _byKey, _hasFirst;
    private int _restarts;
    private long _given;

    /// <summary>Entries of a bucket that is larger than the caller's room, returned in parts.</summary>
    private byte[] _spilledKeys = [], _spilledValues = [];
    private int _spillRoom, _spilled, _spilledGiven;

    internal MapScan(BpfMap map, int chunk)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunk);
        (_map, _chunk, _keySize, _valueBytes) = (map, chunk, map.Info.KeySize, map.Info.ValueBytes);
        if (_keySize == 0)
            throw new ArgumentException($"{map} has no keys and cannot be scanned.", nameof(map));
        _cursor = new byte[Math.Max(_keySize, sizeof(uint))];
        _next = new byte[_keySize];
        _first = new byte[_keySize];
    }

    /// <summary>How often the walk returned to its beginning so far, as far as the scan noticed.</summary>
    public int Restarts => _restarts;

    /// <summary>Continues with another descriptor of the same map, so that no descriptor must stay open between two chunks.</summary>
    public void Continue(BpfMap map) =>
        _map = map.Info.Id == _map.Info.Id ? map : throw new ArgumentException($"A scan of {_map} cannot continue in {map}.", nameof(map));

    /// <summary>Fills in the next entries, keys and values one after the other. Both need room for at least one entry.</summary>
    /// <returns>The number of entries, at most the chunk; 0 at the end.</returns>
    public int Next(Span<byte> keys, Span<byte> values)
    {
        int room = Math.Min(_chunk, keys.Length / _keySize);
        if (_valueBytes > 0)
            room = Math.Min(room, values.Length / _valueBytes);
        if (room == 0)
            throw new ArgumentException($"A scan of {_map} needs room for an entry: {_keySize} bytes for its key, {_valueBytes} for its value.");

        if (_spilledGiven < _spilled)
            return GiveSpilled(keys, values, room);
        if (_ended)
            return 0;
        fixed (byte* k = keys, v = values)
        {
            if (!_byKey && (_started || _map.CanLookupBatch))
            {
                int filled = _spillRoom > room ? -1 : NextBatch(k, v, room);
                if (filled >= 0)
                    return Count(filled);
                if (!_byKey)
                {
                    Spill(room);
                    return GiveSpilled(keys, values, room);
                }
            }

            _byKey = true;
            return NextByKey(k, v, room);
        }
    }

    /// <returns>Entries filled in; -1: the room is too small for the next bucket, or (with <see cref="_byKey"/> set) there are no batches.</returns>
    private int NextBatch(byte* keys, byte* values, int room)
    {
        fixed (byte* cursor = _cursor)
        {
            for (int tries = 0; ; tries++)
            {
                uint filled = (uint)room;
                Native.BatchOptions options = Native.BatchOptions.None;
                int errno = -Native.MapLookupBatch(_map, _started ? cursor : null, cursor, keys, values, &filled, &options);
                switch (errno)
                {
                    case Errno.Enoent:
                        _ended = true;
                        return (int)filled;
                    case 0 or Errno.Eintr when filled > 0:
                        bool again = _started && StandsAtFirst(keys);
                        _started = true;
                        if (again)
                            CountRestart();
                        return (int)filled;
                    case 0 or Errno.Eintr or Errno.Eagain or Errno.Ebusy when tries < MostRestarts:
                        continue; // before 6.2 a key that vanished thrice under the kernel's hand gives EINTR
                    case Errno.Enospc when !_map.Info.Type.IsArray():
                        return -1;
                }

                if (!_started && BpfMap.IsLack(errno, filled == room))
                {
                    _map.CanLookupBatch = false;
                    _byKey = true;
                    return -1;
                }

                throw _map.Refused("scan", errno, $" after {_given} entries");
            }
        }
    }

    /// <summary>Reads a bucket that is larger than the caller's room into our own room, and continues that way.</summary>
    private void Spill(int room)
    {
        _spilled = _spilledGiven = 0;
        for (int wanted = Math.Max(_spillRoom, checked(room * 2)); ; wanted = checked(wanted * 2))
        {
            if (wanted > _spillRoom)
            {
                _spilledKeys = new byte[checked(wanted * _keySize)];
                _spilledValues = new byte[checked(wanted * _valueBytes)];
                _spillRoom = wanted;
            }

            fixed (byte* k = _spilledKeys, v = _spilledValues)
            {
                int filled = NextBatch(k, v, wanted);
                if (filled >= 0)
                {
                    _spilled = Count(filled);
                    return;
                }
            }

            if (wanted > _map.Info.MaxEntries)
                throw _map.Refused("scan", Errno.Enospc, $" after {_given} entries");
        }
    }

    private int GiveSpilled(Span<byte> keys, Span<byte> values, int room)
    {
        int filled = Math.Min(room, _spilled - _spilledGiven);
        _spilledKeys.AsSpan(_spilledGiven * _keySize, filled * _keySize).CopyTo(keys);
        _spilledValues.AsSpan(_spilledGiven * _valueBytes, filled * _valueBytes).CopyTo(values);
        _spilledGiven += filled;
        return filled;
    }

    private int NextByKey(byte* keys, byte* values, int room)
    {
        int filled = 0;
        fixed (byte* cursor = _cursor, next = _next)
        {
            // The cursor stays on the last returned key: if a key vanishes before its value is read, the walk skips it from there, not from
            // the beginning.
            for (long steps = 0; filled < room; steps++)
            {
                int errno = _map.NextKeyRaw(_started ? cursor : null, next);
                if (errno == Errno.Enoent)
                {
                    _ended = true;
                    break;
                }

                if (errno != 0)
                    throw _map.Refused("scan", errno, $" after {_given + filled} entries");
                if (StandsAtFirst(next) && _started)
                    CountRestart();
                errno = _map.LookupRaw(next, values + (long)filled * _valueBytes);
                if (errno == Errno.Enoent)
                {
                    if (steps > Bound)
                        throw GaveUp();
                    continue;
                }

                if (errno != 0)
                    throw _map.Refused("scan", errno, $" after {_given + filled} entries");
                _started = true;
                _next.CopyTo(_cursor.AsSpan());
                _next.CopyTo(new Span<byte>(keys + (long)filled * _keySize, _keySize));
                filled++;
            }
        }

        return Count(filled);
    }

    /// <summary>A walk that makes progress cannot return more entries than this number of whole walks.</summary>
    private long Bound => (MostRestarts + 1) * ((long)_map.Info.MaxEntries + 1);

    private int Count(int filled)
    {
        _given += filled;
        return _given <= Bound ? filled : throw GaveUp();
    }

    /// <summary>Remembers the first key of the walk; true if the walk is there again.</summary>
    private bool StandsAtFirst(byte* key)
    {
        if (_map.Info.Type.IsHash() && !_byKey)
            return false; // hash batches walk by bucket and never begin anew
        var here = new ReadOnlySpan<byte>(key, _keySize);
        if (_hasFirst)
            return here.SequenceEqual(_first);
        here.CopyTo(_first);
        _hasFirst = true;
        return false;
    }

    private void CountRestart()
    {
        if (++_restarts > MostRestarts)
            throw GaveUp();
    }

    private KernelException GaveUp() => new(
        $"The scan of {_map} returned to its beginning too often, because keys are deleted faster than it reads: scan with a larger chunk, or when the map is quieter.",
        Errno.Eagain);
}
