namespace Maplog.Kernel;

public sealed unsafe partial class BpfMap
{
    /// <summary>Times that an entry is tried again on ENOMEM or EAGAIN, before the caller has to wait longer.</summary>
    private const int ShortTries = 8;

    /// <summary>Bytes of a key in a message.</summary>
    private const int KeyShown = 64;

    private bool _noUpdateBatch, _noDeleteBatch, _noLookupBatch;

    /// <summary>
    /// Whether the kernel gets batches. If this is off, or if this kind of map has no batches on this kernel (which is remembered), every
    /// entry is a separate call; the results are the same.
    /// </summary>
    public bool UseBatches { get; set; } = true;

    /// <summary>
    /// Creates or changes <paramref name="count"/> entries, in order. <paramref name="keys"/> contains the keys one after the other,
    /// <paramref name="values"/> the values. After a refusal that may pass (EBUSY, EAGAIN, ENOMEM) the batch continues with the refused
    /// entry, several times.
    /// </summary>
    /// <returns><paramref name="count"/>.</returns>
    /// <exception cref="KernelException">
    /// The kernel refused an entry, which the message names by its key; <see cref="KernelException.Done"/> entries before it were written.
    /// </exception>
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

                    // A refusal before the first entry does not change the count. Entries that were written before it stay written.
                    from += done == wanted ? 0 : (int)done;
                    tries = done == wanted || done == 0 ? tries + 1 : 1;
                    if (!MayPass(errno, tries))
                        throw Refused("write a batch to", errno, Written(from, count, k), from);
                }
            }

            for (; from < count; from++)
            {
                int tries = 0;
                do
                    errno = UpdateRaw(k + (long)from * _info.KeySize, v + (long)from * _info.ValueBytes, UpdateMode.Any);
                while (errno != 0 && MayPass(errno, ++tries));
                if (errno != 0)
                    throw Refused("write a batch to", errno, Written(from, count, k), from);
            }

            return count;
        }
    }

    /// <summary>Deletes <paramref name="count"/> entries. A missing key is not an error; the other keys are deleted all the same.</summary>
    /// <returns>Entries that existed and are deleted.</returns>
    /// <exception cref="KernelException">
    /// The kernel refused a key, which the message names; <see cref="KernelException.Done"/> keys before it are deleted or did not exist.
    /// </exception>
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
                    tries = before == 0 ? tries + 1 : 1;
                    if (errno == Errno.Enoent)
                        from++; // the kernel stopped at a key that is not there
                    else if (!MayPass(errno, tries))
                        throw Refused("delete a batch from", errno, Deleted(from, count, k), from);
                }
            }

            for (; from < count; from++)
            {
                int tries = 0;
                do
                    errno = DeleteRaw(k + (long)from * _info.KeySize);
                while (errno is not (0 or Errno.Enoent) && MayPass(errno, ++tries));
                if (errno == 0)
                    deleted++;
                else if (errno != Errno.Enoent)
                    throw Refused("delete a batch from", errno, Deleted(from, count, k), from);
            }

            return deleted;
        }
    }

    /// <summary>Reads the whole map, <paramref name="chunk"/> entries a call.</summary>
    public MapScan Scan(int chunk = 256) => new(this, chunk);

    /// <summary>ENOTSUPP: this kind has no such batch. EINVAL with an unchanged count: the kernel does not know the command.</summary>
    internal static bool IsLack(int errno, bool untouched) =>
        errno is Errno.Enotsupp or Errno.Eopnotsupp || (errno == Errno.Einval && untouched);

    /// <summary>
    /// Whether to try again, after a pause if a pause helps. The kernel refills its lists of free elements in the background, within
    /// milliseconds; a bucket that is locked on this CPU is free in microseconds.
    /// </summary>
    /// <param name="errno">The refusal.</param>
    /// <param name="tries">Refusals of this entry so far.</param>
    private static bool MayPass(int errno, int tries)
    {
        if (errno == Errno.Ebusy)
            return tries < BusyTries;
        if (errno is not (Errno.Enomem or Errno.Eagain) || tries >= ShortTries)
            return false;
        Thread.Sleep(tries);
        return true;
    }

    private string Written(int done, int count, byte* keys) => $", {done} of {count} entries were written and {KeyAt(done, keys)} was refused";

    private string Deleted(int done, int count, byte* keys) => $", {done} of {count} keys are deleted and {KeyAt(done, keys)} was refused";

    private string KeyAt(int index, byte* keys) =>
        $"the key 0x{Convert.ToHexStringLower(new ReadOnlySpan<byte>(keys + (long)index * _info.KeySize, Math.Min(_info.KeySize, KeyShown)))}{(_info.KeySize > KeyShown ? "..." : "")}";

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
