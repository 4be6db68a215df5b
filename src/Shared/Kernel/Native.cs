using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>
/// Every call into libbpf and libc, and the structures they take.
/// libbpf 1.x: functions that return int return minus the errno; those that return a pointer return null and set errno.
/// Descriptors travel as SafeHandle, so none is closed, and its number given to another, while the kernel reads it.
/// </summary>
[SuppressMessage("Performance", "CA1823", Justification = "Structures are laid out as the kernel has them, used or not.")]
internal static unsafe partial class Native
{
    private const string Bpf = "libbpf.so.1";
    private const string C = "libc";

    // ---- maps ----
    [LibraryImport(Bpf, EntryPoint = "bpf_map_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MapCreate(int type, string? name, uint keySize, uint valueSize, uint maxEntries, MapCreateOptions* options);

    [LibraryImport(Bpf, EntryPoint = "bpf_map_lookup_elem")]
    public static partial int MapLookup(SafeHandle map, byte* key, byte* value);

    [LibraryImport(Bpf, EntryPoint = "bpf_map_update_elem")]
    public static partial int MapUpdate(SafeHandle map, byte* key, byte* value, ulong flags);

    [LibraryImport(Bpf, EntryPoint = "bpf_map_delete_elem")]
    public static partial int MapDelete(SafeHandle map, byte* key);

    [LibraryImport(Bpf, EntryPoint = "bpf_map_get_next_key")]
    public static partial int MapNextKey(SafeHandle map, byte* key, byte* next);

    [LibraryImport(Bpf, EntryPoint = "bpf_map_lookup_batch")]
    public static partial int MapLookupBatch(SafeHandle map, byte* inCursor, byte* outCursor, byte* keys, byte* values, uint* count, BatchOptions* options);

    [LibraryImport(Bpf, EntryPoint = "bpf_map_update_batch")]
    public static partial int MapUpdateBatch(SafeHandle map, byte* keys, byte* values, uint* count, BatchOptions* options);

    [LibraryImport(Bpf, EntryPoint = "bpf_map_delete_batch")]
    public static partial int MapDeleteBatch(SafeHandle map, byte* keys, uint* count, BatchOptions* options);

    [LibraryImport(Bpf, EntryPoint = "bpf_map_freeze")]
    public static partial int MapFreeze(SafeHandle map);

    [LibraryImport(Bpf, EntryPoint = "bpf_map_get_next_id")]
    public static partial int MapNextId(uint after, uint* next);

    [LibraryImport(Bpf, EntryPoint = "bpf_map_get_fd_by_id_opts")]
    public static partial int MapFdById(uint id, FdByIdOptions* options);

    // ---- objects of any kind: info, pins ----
    [LibraryImport(Bpf, EntryPoint = "bpf_obj_get_info_by_fd")]
    public static partial int ObjectInfo(SafeHandle fd, void* info, uint* size);

    [LibraryImport(Bpf, EntryPoint = "bpf_obj_get_opts", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ObjectGet(string path, ObjectGetOptions* options);

    [LibraryImport(Bpf, EntryPoint = "bpf_obj_pin", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ObjectPin(SafeHandle fd, string path);

    [LibraryImport(Bpf, EntryPoint = "bpf_btf_get_fd_by_id")]
    public static partial int BtfFdById(uint id);

    [LibraryImport(Bpf, EntryPoint = "libbpf_num_possible_cpus")]
    public static partial int PossibleCpus();

    // ---- libc: minus one and errno, turned into minus the errno ----
    [LibraryImport(C, EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport(C, EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FileControl(int fd, int command, int argument);

    /// <summary>A new descriptor of the same thing, closed on exec; or minus the errno.</summary>
    public static int Duplicate(int fd) => Result(FileControl(fd, 1030 /* F_DUPFD_CLOEXEC */, 3));

    [LibraryImport(C, EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int fromFolder, string from, int toFolder, string to, uint flags);

    [LibraryImport(C, EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnlinkRaw(string path);

    [LibraryImport(C, EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatFsRaw(string path, long* buffer);

    [LibraryImport(C, EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MountRaw(string source, string target, string type, nuint flags, string? data);

    public static int Rename(string from, string to, bool replace)
    {
        const int here = -100; // AT_FDCWD
        return Result(RenameAt2(here, from, here, to, replace ? 0u : 1u /* RENAME_NOREPLACE */));
    }

    public static int Unlink(string path) => Result(UnlinkRaw(path));

    public static int Mount(string source, string target, string type) => Result(MountRaw(source, target, type, 0, null));

    /// <summary>The magic number of the file system a path is on, or minus the errno.</summary>
    public static long FileSystem(string path)
    {
        // struct statfs has 120 bytes on the 64-bit kinds, its first word is the magic number.
        long* buffer = stackalloc long[32];
        int result = Result(StatFsRaw(path, buffer));
        return result < 0 ? result : buffer[0];
    }

    private static int Result(int returned) => returned < 0 ? -Marshal.GetLastPInvokeError() : returned;

    /// <summary>struct bpf_map_create_opts of libbpf 1.1. A newer libbpf reads no further than <see cref="Size"/>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MapCreateOptions
    {
        public nuint Size;
        public uint BtfFd;
        public uint BtfKeyTypeId;
        public uint BtfValueTypeId;
        public uint BtfVmlinuxValueTypeId;
        public uint InnerMapFd;
        public uint MapFlags;
        public ulong MapExtra;
        public uint NumaNode;
        public uint MapIfIndex;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct BatchOptions
    {
        public nuint Size;
        public ulong ElementFlags;
        public ulong Flags;

        public static BatchOptions None => new() { Size = (nuint)Unsafe.SizeOf<BatchOptions>() };
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct FdByIdOptions
    {
        public nuint Size;
        public uint OpenFlags;
        private readonly uint _rest;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct ObjectGetOptions
    {
        public nuint Size;
        public uint FileFlags;
        private readonly uint _rest;
    }

    /// <summary>
    /// struct bpf_map_info up to map_extra. The kernel fills what both sides know; what it does not know must be zero,
    /// and is, because the structure is zeroed before each call.
    /// </summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct RawMapInfo
    {
        public uint Type;
        public uint Id;
        public uint KeySize;
        public uint ValueSize;
        public uint MaxEntries;
        public uint MapFlags;
        public ObjectName Name;
        public uint IfIndex;
        public uint BtfVmlinuxValueTypeId;
        public ulong NetnsDevice;
        public ulong NetnsInode;
        public uint BtfId;
        public uint BtfKeyTypeId;
        public uint BtfValueTypeId;
        public uint BtfVmlinuxId;
        public ulong MapExtra;
    }

    /// <summary>struct bpf_btf_info.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct RawBtfInfo
    {
        public ulong Btf;
        public uint BtfSize;
        public uint Id;
        public ulong Name;
        public uint NameLength;
        public uint KernelBtf;
    }

    /// <summary>char[BPF_OBJ_NAME_LEN].</summary>
    [InlineArray(16)]
    public struct ObjectName
    {
        private byte _first;

        public override readonly string ToString()
        {
            ReadOnlySpan<byte> bytes = this;
            int end = bytes.IndexOf((byte)0);
            return System.Text.Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        }
    }
}
