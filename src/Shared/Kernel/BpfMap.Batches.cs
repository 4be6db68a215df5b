namespace Maplog.Kernel;

public sealed unsafe partial class BpfMap
{
    private bool _noUpdateBatch, _noDeleteBatch, _noLookupBatch;

    /// <summary>
    /// Whether batches go to the kernel as batches. Turned off, or found missing for this kind of map on this kernel
    /// (which is remembered), every entry is a call of its own; the results are the same.
    /// </summary>
    public bool UseBatches { get; set; } = true;

    /// <summary>
    /// Makes or changes <paramref name="count"/> entries, in order. <paramref name="keys"/> holds them end to end,
    /// <paramref name="values"/> too.
    /// </summary>
    /// <returns><paramref name="count"/>.</returns>
    /// <exception cref="KernelException">An entry was refused; <see cref="KernelException.Done"/> entries before it were written.</exception>
    public int UpdateBatch(ReadOnlySpan<byte> keys, ReadOnlySpan<byte> values, int count)
    {
        CheckRoom("keys", keys.Length, count, _info.KeySize);
        CheckRoom("values", values.Length, count, _info.ValueBytes);
        if (count == 0)
            return 0;
        fixed (byte* k = keys, v = values)
        {
            int from = 0, errno = 0;
            if (UseBatches && !_noUpdateBatch)
            {
                for (int tries = 0; from < count;)
                {
                    uint wanted = (uint)(count - from), done = wanted;
                    Native.BatchOptions options = Native.BatchOptions.None;
                    errno = -Native.MapUpdateBatch(this, k + (long)from * _info.KeySize, v + (long)from * _info.ValueBytes, &done, &options);
                    if (errno == 0)
                        return count;
                    if (IsLack(errno, done == wanted))
                    {
                        _noUpdateBatch = true;
                        break;
                    }

                    // A refusal before the first entry leaves the count as it was given.
                    from += done == wanted ? 0 : (int)done;
                    if (errno != Errno.Ebusy || ++tries >= BusyTries)
                        throw Refused("write a batch to", errno, $", {from} of {count} entries were written", from);
                }
            }

            for (; from < count; from++)
            {
                errno = UpdateRaw(k + (long)from * _info.KeySize, v + (long)from * _info.ValueBytes, UpdateMode.Any);
                if (errno != 0)
                    throw Refused("write a batch to", errno, $", {from} of {count} entries were written", from);
            }

            return count;
        }
    }

    /// <summary>Deletes <paramref name="count"/> entries. A key that is not there is no error; the rest is deleted all the same.</summary>
    /// <returns>Entries that were there and are deleted.</returns>
    /// <exception cref="KernelException">An entry was refused; <see cref="KernelException.Done"/> keys before it were dealt with.</exception>
    public int DeleteBatch(ReadOnlySpan<byte> keys, int count)
    {
        CheckRoom("keys", keys.Length, count, _info.KeySize);
        if (count == 0)
            return 0;
        fixed (byte* k = keys)
        {
            int from = 0, deleted = 0, errno = 0;
            if (UseBatches && !_noDeleteBatch)
            {
                for (int tries = 0; from < count;)
                {
                    uint wanted = (uint)(count - from), done = wanted;
                    Native.BatchOptions options = Native.BatchOptions.None;
                    errno = -Native.MapDeleteBatch(this, k + (long)from * _info.KeySize, &done, &options);
                    if (errno == 0)
                        return deleted + (int)wanted;
                    if (IsLack(errno, done == wanted))
                    {
                        _noDeleteBatch = true;
                        break;
                    }

                    int before = done == wanted ? 0 : (int)done;
                    from += before;
                    deleted += before;
                    if (errno == Errno.Enoent)
                        from++; // the kernel stopped at a key that is not there
                    else if (errno != Errno.Ebusy || ++tries >= BusyTries)
                        throw Refused("delete a batch from", errno, $", {from} of {count} keys were dealt with", from);
                }
            }

            for (; from < count; from++)
            {
                errno = DeleteRaw(k + (long)from * _info.KeySize);
                if (errno == 0)
                    deleted++;
                else if (errno != Errno.Enoent)
                    throw Refused("delete a batch from", errno, $", {from} of {count} keys were dealt with", from);
            }

            return deleted;
        }
    }

    /// <summary>Reads the whole map, <paramref name="chunk"/> entries a call.</summary>
    public MapScan Scan(int chunk = 256) => new(this, chunk);

    /// <summary>
    /// ENOTSUPP: this kind has no such batch. EINVAL before any entry was looked at (the count is untouched): the kernel
    /// does not know the command.
    /// </summary>
    internal static bool IsLack(int errno, bool untouched) =>
        errno is Errno.Enotsupp or Errno.Eopnotsupp || (errno == Errno.Einval && untouched);

    internal bool CanLookupBatch
    {
        get => UseBatches && !_noLookupBatch;
        set => _noLookupBatch = !value;
    }

    private void CheckRoom(string what, int length, int count, int each)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (length < (long)count * each)
            throw new ArgumentException($"{count} {what} of {this} take {(long)count * each} bytes, but {length} were given.");
    }
}
