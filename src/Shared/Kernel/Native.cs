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

    [LibraryImport(Bpf, EntryPoint = "bpf_btf_load")]
    public static partial int BtfLoad(byte* bytes, nuint size, void* options);

    // ---- programs and links ----
    [LibraryImport(Bpf, EntryPoint = "bpf_prog_get_fd_by_id")]
    public static partial int ProgramFdById(uint id);

    [LibraryImport(Bpf, EntryPoint = "bpf_prog_test_run_opts")]
    public static partial int ProgramTestRun(int program, TestRunOptions* options);

    [LibraryImport(Bpf, EntryPoint = "bpf_enable_stats")]
    public static partial int EnableStatistics(int kind);

    [LibraryImport(Bpf, EntryPoint = "bpf_link_create")]
    public static partial int LinkCreate(int program, SafeHandle target, int attachType, void* options);

    [LibraryImport(Bpf, EntryPoint = "bpf_link_detach")]
    public static partial int LinkDetach(SafeHandle link);

    [LibraryImport(Bpf, EntryPoint = "bpf_link_get_next_id")]
    public static partial int LinkNextId(uint after, uint* next);

    [LibraryImport(Bpf, EntryPoint = "bpf_link__fd")]
    public static partial int LinkFd(nint link);

    [LibraryImport(Bpf, EntryPoint = "bpf_link__destroy")]
    public static partial int LinkDestroy(nint link);

    [LibraryImport(Bpf, EntryPoint = "bpf_iter_create")]
    public static partial int IteratorCreate(SafeHandle link);

    // ---- objects: an ELF file's programs and maps. What returns a pointer gives null and errno ----
    [LibraryImport(Bpf, EntryPoint = "libbpf_set_print")]
    public static partial nint SetPrint(delegate* unmanaged[Cdecl]<int, byte*, void*, int> print);

    [LibraryImport(Bpf, EntryPoint = "bpf_object__open_mem", SetLastError = true)]
    public static partial nint ObjectOpen(byte* bytes, nuint size, ObjectOpenOptions* options);

    [LibraryImport(Bpf, EntryPoint = "bpf_object__load")]
    public static partial int ObjectLoad(SafeHandle bpfObject);

    [LibraryImport(Bpf, EntryPoint = "bpf_object__close")]
    public static partial void ObjectClose(nint bpfObject);

    [LibraryImport(Bpf, EntryPoint = "bpf_object__next_program")]
    public static partial nint ObjectNextProgram(SafeHandle bpfObject, nint after);

    [LibraryImport(Bpf, EntryPoint = "bpf_object__next_map")]
    public static partial nint ObjectNextMap(SafeHandle bpfObject, nint after);

    [LibraryImport(Bpf, EntryPoint = "bpf_program__name")]
    private static partial nint ProgramNameRaw(nint program);

    [LibraryImport(Bpf, EntryPoint = "bpf_program__section_name")]
    private static partial nint ProgramSectionRaw(nint program);

    [LibraryImport(Bpf, EntryPoint = "bpf_program__type")]
    public static partial int ProgramType(nint program);

    [LibraryImport(Bpf, EntryPoint = "bpf_program__fd")]
    public static partial int ProgramFd(nint program);

    [LibraryImport(Bpf, EntryPoint = "bpf_program__autoload")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool ProgramAutoload(nint program);

    [LibraryImport(Bpf, EntryPoint = "bpf_program__set_autoload")]
    public static partial int ProgramSetAutoload(nint program, [MarshalAs(UnmanagedType.U1)] bool load);

    [LibraryImport(Bpf, EntryPoint = "bpf_program__set_attach_target", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ProgramSetTarget(nint program, int targetProgram, string function);

    [LibraryImport(Bpf, EntryPoint = "bpf_program__attach", SetLastError = true)]
    public static partial nint ProgramAttach(nint program);

    [LibraryImport(Bpf, EntryPoint = "bpf_map__name")]
    private static partial nint MapNameRaw(nint map);

    [LibraryImport(Bpf, EntryPoint = "bpf_map__fd")]
    public static partial int MapFd(nint map);

    [LibraryImport(Bpf, EntryPoint = "bpf_map__set_max_entries")]
    public static partial int MapSetMaxEntries(nint map, uint entries);

    [LibraryImport(Bpf, EntryPoint = "bpf_map__set_value_size")]
    public static partial int MapSetValueSize(nint map, uint size);

    [LibraryImport(Bpf, EntryPoint = "bpf_map__reuse_fd")]
    public static partial int MapReuse(nint map, SafeHandle with);

    [LibraryImport(Bpf, EntryPoint = "bpf_map__initial_value")]
    public static partial byte* MapInitialValue(nint map, nuint* size);

    [LibraryImport(Bpf, EntryPoint = "bpf_map__set_initial_value")]
    public static partial int MapSetInitialValue(nint map, byte* value, nuint size);

    public static string ProgramName(nint program) => Marshal.PtrToStringUTF8(ProgramNameRaw(program)) ?? "";

    public static string ProgramSection(nint program) => Marshal.PtrToStringUTF8(ProgramSectionRaw(program)) ?? "";

    public static string MapName(nint map) => Marshal.PtrToStringUTF8(MapNameRaw(map)) ?? "";

    // ---- the kernel's own BTF ----
    [LibraryImport(Bpf, EntryPoint = "btf__load_vmlinux_btf", SetLastError = true)]
    public static partial nint BtfLoadVmlinux();

    [LibraryImport(Bpf, EntryPoint = "btf__parse", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint BtfParse(string path, nint extension);

    [LibraryImport(Bpf, EntryPoint = "btf__raw_data")]
    public static partial byte* BtfRawData(nint btf, out uint size);

    [LibraryImport(Bpf, EntryPoint = "btf__free")]
    public static partial void BtfFree(nint btf);

    [LibraryImport(Bpf, EntryPoint = "btf__find_by_name_kind", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int BtfFind(SafeHandle btf, string name, uint kind);

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

    [LibraryImport(C, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenRaw(string path, int flags);

    [LibraryImport(C, EntryPoint = "flock", SetLastError = true)]
    private static partial int LockRaw(SafeHandle fd, int operation);

    /// <summary>A descriptor of a folder, closed on exec; or minus the errno.</summary>
    public static int OpenFolder(string path)
    {
        // O_DIRECTORY differs between x86-64 and arm64; O_CLOEXEC does not.
        int directory = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;
        return Result(OpenRaw(path, directory | 0x80000));
    }

    /// <summary>Takes the lock on an open file for this descriptor alone, without waiting; 0 or minus the errno.</summary>
    public static int Lock(SafeHandle fd) => Result(LockRaw(fd, 2 | 4 /* LOCK_EX | LOCK_NB */));

    public static int Mount(string source, string target, string type) => Result(MountRaw(source, target, type, 0, null));

    /// <summary>The magic number of the file system a path is on, or minus the errno.</summary>
    public static long FileSystem(string path)
    {
        // struct statfs has 120 bytes on the 64-bit kinds, its first word is the magic number.
        long* buffer = stackalloc long[32];
        int result = Result(StatFsRaw(path, buffer));
        return result < 0 ? result : buffer[0];
    }

    [LibraryImport(C, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatRaw(int folder, string path, int flags, uint mask, byte* buffer);

    /// <summary>Device and inode of a path; 0, or minus the errno.</summary>
    public static int FileIdentity(string path, out ulong device, out ulong inode)
    {
        const int here = -100; // AT_FDCWD
        const uint wanted = 0x100; // STATX_INO
        // struct statx has 256 bytes on every architecture.
        byte* buffer = stackalloc byte[256];
        int result = Result(StatRaw(here, path, 0, wanted, buffer));
        inode = Unsafe.ReadUnaligned<ulong>(buffer + 32);
        device = Unsafe.ReadUnaligned<ulong>(buffer + 136);
        return result;
    }

    [LibraryImport(C, EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MapMemory(nint address, nuint length, int protection, int flags, SafeHandle fd, long offset);

    [LibraryImport(C, EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeHandle fd, byte* buffer, nuint size);

    [LibraryImport(C, EntryPoint = "munmap", SetLastError = true)]
    public static partial int UnmapMemory(nint address, nuint length);

    [LibraryImport(C, EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoControlRaw(SafeHandle fd, nuint request, nint argument);

    [LibraryImport(C, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, void* first, nint second, nint third, nint fourth, nuint fifth);

    /// <summary>Formats as printf does, into memory that the C library allocates. A va_list comes by address on x86-64 and on arm64.</summary>
    [LibraryImport(C, EntryPoint = "vasprintf")]
    public static partial int Format(byte** text, byte* format, void* arguments);

    [LibraryImport(C, EntryPoint = "free")]
    public static partial void Free(void* memory);

    /// <summary>Maps a part of a file, shared.</summary>
    /// <returns>The address, or minus one with the errno set aside.</returns>
    public static nint Map(SafeHandle fd, nuint length, bool write, long offset, out int errno)
    {
        nint address = MapMemory(0, length, write ? 3 : 1 /* PROT_READ | PROT_WRITE */, 1 /* MAP_SHARED */, fd, offset);
        errno = address == -1 ? Marshal.GetLastPInvokeError() : 0;
        return address;
    }

    public static int IoControl(SafeHandle fd, uint request, nint argument) => Result(IoControlRaw(fd, request, argument));

    /// <summary>Waits for a grace period of RCU.</summary>
    /// <returns>0 or minus the errno.</returns>
    public static int AwaitReaders()
    {
        nint number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 283 : 324;
        return Result((int)SystemCall(number, (void*)1 /* MEMBARRIER_CMD_GLOBAL */, 0, 0, 0, 0));
    }

    /// <summary>A perf event on all processes, for a program to hang on; a descriptor or minus the errno.</summary>
    public static int PerfEventOpen(PerfEventAttributes* attributes)
    {
        nint number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 241 : 298;
        return Result((int)SystemCall(number, attributes, -1 /* every process */, 0 /* probes fire on every CPU */, -1, 8 /* PERF_FLAG_FD_CLOEXEC */));
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

    [StructLayout(LayoutKind.Sequential)]
    public struct ObjectOpenOptions
    {
        public nuint Size;
        public byte* ObjectName;
        public ulong RelaxedMaps;
        public byte* PinRootPath;
        public ulong Rest;
        public byte* Kconfig;
        public byte* CustomBtfPath;
        public byte* KernelLog;
        public nuint KernelLogSize;
        public ulong KernelLogLevel;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct TestRunOptions
    {
        public nuint Size;
        public void* DataIn;
        public void* DataOut;
        public uint DataSizeIn;
        public uint DataSizeOut;
        public void* ContextIn;
        public void* ContextOut;
        public uint ContextSizeIn;
        public uint ContextSizeOut;
        public uint Returned;
        public int Repeat;
        public uint Duration;
        public uint Flags;
        public uint Cpu;
        public uint BatchSize;
    }

    /// <summary>struct bpf_prog_info up to attach_btf_id (6.0), the same rule as for maps: zeroed before each call.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct RawProgramInfo
    {
        public uint Type;
        public uint Id;
        public ulong Tag;
        public uint JitedLength;
        public uint TranslatedLength;
        public ulong Jited;
        public ulong Translated;
        public ulong LoadTime;
        public uint CreatedByUid;
        public uint MapCount;
        public ulong MapIds;
        public ObjectName Name;
        public uint IfIndex;
        public uint GplCompatible;
        public ulong NetnsDevice;
        public ulong NetnsInode;
        public uint JitedSymbolCount;
        public uint JitedFunctionCount;
        public ulong JitedSymbols;
        public ulong JitedFunctionLengths;
        public uint BtfId;
        public uint FunctionInfoSize;
        public ulong FunctionInfo;
        public uint FunctionCount;
        public uint LineCount;
        public ulong LineInfo;
        public ulong JitedLineInfo;
        public uint JitedLineCount;
        public uint LineInfoSize;
        public uint JitedLineInfoSize;
        public uint TagCount;
        public ulong Tags;
        public ulong RunTime;
        public ulong RunCount;
        public ulong RecursionMisses;
        public uint VerifiedInstructions;
        public uint AttachBtfObjectId;
        public uint AttachBtfId;
        private readonly uint _rest;
    }

    /// <summary>The head of struct bpf_link_info; what follows depends on the kind and has room here.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    public struct RawLinkInfo
    {
        public uint Type;
        public uint Id;
        public uint ProgramId;
    }

    /// <summary>struct perf_event_attr of its second version, 72 bytes; every kernel with BPF knows it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PerfEventAttributes
    {
        public uint Type;
        public uint Size;
        public ulong Config;
        public ulong SamplePeriod;
        public ulong SampleType;
        public ulong ReadFormat;
        public ulong Flags;
        public uint WakeUpEvents;
        public uint BreakpointType;
        public ulong Config1;
        public ulong Config2;
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

    /// <summary>CLOCK_BOOTTIME in nanoseconds.</summary>
    public static long BootTime()
    {
        const int Clock = 7;
        Timespec now = default;
        _ = ClockGetTime(Clock, &now);
        return now.Seconds * 1_000_000_000 + now.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    private static partial int ClockGetTime(int clock, Timespec* now);

    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
