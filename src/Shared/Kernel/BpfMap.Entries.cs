using System.Buffers;
using System.Runtime.CompilerServices;

namespace Maplog.Kernel;

public sealed unsafe partial class BpfMap
{
    /// <summary>
    /// Retries of an operation on EBUSY: a tracing program holds the bucket on this CPU at this moment, a state that cannot last.
    /// </summary>
    private const int BusyTries = 64;

    /// <summary>
    /// Reads the entry with exactly this key. (The kernel's own lookup in an LPM trie returns the longest matching prefix; here the prefix
    /// is part of a trie's key, and another prefix does not match.)
    /// </summary>
    /// <returns>False if there is no such entry.</returns>
    public bool Lookup(ReadOnlySpan<byte> key, Span<byte> value)
    {
        CheckKey(key.Length);
        if (value.Length < _info.ValueBytes)
            throw WrongLength("value", value.Length, _info.ValueBytes);
        fixed (byte* k = key, v = value)
        {
            int errno = LookupRaw(k, v);
            return errno switch
            {
                0 => _info.Type != MapType.LpmTrie || IsExact(k, v),
                Errno.Enoent => false,
                _ => throw Refused("read an entry of", errno),
            };
        }
    }

    /// <summary>Creates or changes an entry.</summary>
    public void Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, UpdateMode mode = UpdateMode.Any)
    {
        int errno = TryUpdate(key, value, mode);
        if (errno != 0)
            throw Refused("write an entry of", errno);
    }

    /// <summary>Creates or changes an entry, and returns a refusal as a result: EEXIST, ENOENT, E2BIG (full) or another.</summary>
    /// <returns>0 or the errno.</returns>
    public int TryUpdate(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, UpdateMode mode = UpdateMode.Any)
    {
        CheckKey(key.Length);
        if (value.Length != _info.ValueBytes)
            throw WrongLength("value", value.Length, _info.ValueBytes);
        fixed (byte* k = key, v = value)
            return UpdateRaw(k, v, mode);
    }

    /// <summary>Deletes an entry.</summary>
    /// <returns>False if there was no such entry.</returns>
    public bool Delete(ReadOnlySpan<byte> key)
    {
        CheckKey(key.Length);
        fixed (byte* k = key)
        {
            int errno = DeleteRaw(k);
            return errno switch
            {
                0 => true,
                Errno.Enoent => false,
                _ => throw Refused("delete an entry of", errno),
            };
        }
    }

    internal int LookupRaw(byte* key, byte* value)
    {
        int errno, tries = 0;
        do
            errno = -Native.MapLookup(this, key, value);
        while (errno == Errno.Ebusy && ++tries < BusyTries);
        return errno;
    }

    internal int NextKeyRaw(byte* key, byte* next) => -Native.MapNextKey(this, key, next);

    private int UpdateRaw(byte* key, byte* value, UpdateMode mode)
    {
        int errno, tries = 0;
        do
            errno = -Native.MapUpdate(this, key, value, (ulong)mode);
        while (errno == Errno.Ebusy && ++tries < BusyTries);
        return errno;
    }

    private int DeleteRaw(byte* key)
    {
        int errno, tries = 0;
        do
            errno = -Native.MapDelete(this, key);
        while (errno == Errno.Ebusy && ++tries < BusyTries);
        return errno;
    }

    /// <summary>
    /// A trie's lookup found something: was it this prefix, or a shorter one that covers it? If one bit less finds nothing, or another
    /// value, it was this prefix. With equal values the order of keys decides: the first of all keys never follows an existing key, but
    /// follows a missing one.
    /// </summary>
    private bool IsExact(byte* key, byte* value)
    {
        uint prefix = Unsafe.ReadUnaligned<uint>(key);
        if (prefix == 0)
            return true;
        int keySize = _info.KeySize, valueSize = _info.ValueBytes;
        byte[] room = ArrayPool<byte>.Shared.Rent(2 * keySize + valueSize);
        try
        {
            fixed (byte* first = room)
            {
                byte* next = first + keySize, other = next + keySize;
                new ReadOnlySpan<byte>(key, keySize).CopyTo(new Span<byte>(first, keySize));
                Unsafe.WriteUnaligned(first, prefix - 1);
                int errno = LookupRaw(first, other);
                if (errno == Errno.Enoent)
                    return true;
                if (errno != 0)
                    throw Refused("read an entry of", errno);
                if (!new ReadOnlySpan<byte>(value, valueSize).SequenceEqual(new ReadOnlySpan<byte>(other, valueSize)))
                    return true;
                if (NextKeyRaw(null, first) != 0)
                    return false;
                return NextKeyRaw(key, next) != 0
                    || !new ReadOnlySpan<byte>(first, keySize).SequenceEqual(new ReadOnlySpan<byte>(next, keySize));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    private void CheckKey(int length)
    {
        if (length != _info.KeySize)
            throw WrongLength("key", length, _info.KeySize);
    }

    private ArgumentException WrongLength(string what, int length, int wanted) =>
        new($"A {what} of {this} has {wanted} bytes, but {length} were given.");

    /// <summary>The sentence about a refusal of the kernel.</summary>
    internal KernelException Refused(string doing, int errno, string progress = "", int done = 0)
    {
        string why = errno switch
        {
            Errno.E2big when _info.Type.IsArray() => $"the index is not below its max_entries of {_info.MaxEntries}",
            Errno.E2big => $"the map is full, its max_entries is {_info.MaxEntries}; delete some entries, or create it again with more room",
            Errno.Enospc when _info.Type == MapType.LpmTrie => $"the map is full, its max_entries is {_info.MaxEntries}; delete some entries, or create it again with more room",
            Errno.Eperm when IsFrozen() => "the map is frozen: bpf(2) cannot change it while it lives; create it again",
            Errno.Eperm when (_info.Flags & MapFlags.ReadOnly) != 0 => "the map was created read-only for bpf(2)",
            Errno.Eperm => "this descriptor was opened without this right, or " + Privileges.Explain("CAP_BPF"),
            Errno.Eexist => "the entry exists already",
            Errno.Enoent => "there is no such entry",
            Errno.Enomem => "the kernel has no memory for it at the moment; try again, or create the map with preallocated entries",
            Errno.Ebusy => "its bucket stayed locked by a tracing program on this CPU; try again",
            Errno.Einval when _info.Type.IsArray() => "an array's entries cannot be added or deleted",
            Errno.Einval when _info.Type == MapType.LpmTrie => "a prefix is longer than the key's bits, or the operation is unknown here",
            Errno.Enotsupp or Errno.Eopnotsupp or Errno.Einval => "a map of this kind does not support this operation",
            _ => "the kernel refused it",
        };
        return new KernelException($"Cannot {doing} {this}{progress}: {why}.", errno) { Done = done };
    }
}
