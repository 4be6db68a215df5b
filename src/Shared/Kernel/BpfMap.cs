using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Maplog.Kernel;

/// <summary>
/// One descriptor of a kernel map. The map lives while the descriptor is open. Keys have <see cref="MapInfo.KeySize"/> bytes, values <see
/// cref="MapInfo.ValueBytes"/>; both are checked before the kernel sees them. Reading and writing entries allocates nothing, and several
/// threads may do it.
/// </summary>
[SuppressMessage("Interoperability", "CA1419", Justification = "Only a map that is open, and known to be one, is handed out.")]
public sealed unsafe partial class BpfMap : OwnedFd
{
    private const int LongestName = 15;
    private MapInfo _info = null!;

    private BpfMap()
    {
    }

    /// <summary>The map's description. It was read when the map was opened, and does not change while the map lives.</summary>
    public MapInfo Info => _info;

    /// <summary>Opens the map pinned at <paramref name="path"/>.</summary>
    public static BpfMap OpenPinned(string path, MapAccess access = MapAccess.ReadWrite)
    {
        var map = new BpfMap();
        var options = new Native.ObjectGetOptions { Size = (nuint)Unsafe.SizeOf<Native.ObjectGetOptions>(), FileFlags = OpenFlags(access) };
        int errno = map.Take(Native.ObjectGet(path, &options));
        if (errno != 0)
        {
            string why = errno switch
            {
                Errno.Enoent when MountView.WhyUnseen(path) is { } unseen => $"nothing is pinned there. {unseen.TrimEnd('.')}",
                Errno.Enoent => "nothing is pinned there; check the path, or pin the map first",
                Errno.Enotdir => "a part of the path is not a folder",
                Errno.Eacces when !Bpffs.Holds(path) || Directory.Exists(path) => $"that is not a pin; pins are on a BPF file system, as a rule under {Bpffs.Root}",
                Errno.Eperm or Errno.Eacces => access == MapAccess.ReadWrite
                    ? $"the map may be readable only, or {Privileges.Explain("CAP_BPF")}"
                    : Privileges.Explain("CAP_BPF"),
                _ => "the kernel refused it",
            };
            throw new KernelException($"Cannot open the pinned map {path}: {why}.", errno);
        }

        return map.DescribePinned(path);
    }

    /// <summary>Opens the map with this kernel id (CAP_SYS_ADMIN).</summary>
    public static BpfMap OpenById(uint id, MapAccess access = MapAccess.ReadWrite) =>
        TryOpenById(id, access, out int errno) ?? throw new KernelException(
            $"Cannot open the map with id {id}: " + errno switch
            {
                Errno.Enoent => "there is no such map; 'bpftool map' lists the maps.",
                Errno.Eperm or Errno.Eacces => $"{Privileges.ExplainOne("CAP_SYS_ADMIN")}.",
                _ => "the kernel refused it.",
            }, errno);

    /// <summary>Opens the map with this kernel id (CAP_SYS_ADMIN), and returns a refusal as a result.</summary>
    /// <param name="id">The kernel's id.</param>
    /// <param name="access">The wanted access.</param>
    /// <param name="errno">0; ENOENT: there is no such map; otherwise why it cannot be opened.</param>
    public static BpfMap? TryOpenById(uint id, MapAccess access, out int errno)
    {
        var map = new BpfMap();
        var options = new Native.FdByIdOptions { Size = (nuint)Unsafe.SizeOf<Native.FdByIdOptions>(), OpenFlags = OpenFlags(access) };
        errno = map.Take(Native.MapFdById(id, &options));
        return errno == 0 ? map.Describe($"the map with id {id}") : null;
    }

    /// <summary>Creates a map.</summary>
    /// <param name="name">At most 15 characters of [A-Za-z0-9_.]; may be empty.</param>
    /// <param name="type">The kind.</param>
    /// <param name="keySize">Bytes of a key.</param>
    /// <param name="valueSize">Bytes of a value, for one CPU in the per-CPU kinds.</param>
    /// <param name="maxEntries">Maximum of entries; for a ring buffer its bytes.</param>
    /// <param name="flags">See <see cref="MapFlags"/>. An LPM trie always gets <see cref="MapFlags.NoPreallocation"/>.</param>
    /// <param name="btf">Describes key and value; null for none.</param>
    /// <param name="btfKeyType">The key's type id in <paramref name="btf"/>.</param>
    /// <param name="btfValueType">The value's type id in <paramref name="btf"/>.</param>
    public static BpfMap Create(
        string name, MapType type, int keySize, int valueSize, uint maxEntries, uint flags = 0,
        BtfFd? btf = null, uint btfKeyType = 0, uint btfValueType = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keySize);
        ArgumentOutOfRangeException.ThrowIfNegative(valueSize);
        if (name.Length > LongestName || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.')))
            throw new ArgumentException($"The map name '{name}' must have at most {LongestName} characters, of A-Z, a-z, 0-9, '_' and '.' alone.", nameof(name));
        if (type == MapType.LpmTrie)
            flags |= MapFlags.NoPreallocation;
        var options = new Native.MapCreateOptions { Size = (nuint)Unsafe.SizeOf<Native.MapCreateOptions>(), MapFlags = flags };
        var map = new BpfMap();
        bool held = false;
        try
        {
            if (btf is not null)
            {
                btf.DangerousAddRef(ref held);
                options.BtfFd = (uint)btf.DangerousGetHandle();
                options.BtfKeyTypeId = btfKeyType;
                options.BtfValueTypeId = btfValueType;
            }

            int errno = map.Take(Native.MapCreate((int)type, name, (uint)keySize, (uint)valueSize, maxEntries, &options));
            if (errno != 0)
                throw CreateRefused(name, type, keySize, valueSize, maxEntries, flags, errno);
        }
        finally
        {
            if (held)
                btf!.DangerousRelease();
        }

        return map.Describe($"the new map {name}");
    }

    /// <summary>
    /// Pins the map at <paramref name="path"/>, on a BPF file system and in an existing folder (<see cref="Bpffs.EnsureMounted"/>). The pin
    /// first has a temporary name, and is then renamed, so that no process sees half a change.
    /// </summary>
    /// <param name="path">The last name must not have a dot.</param>
    /// <param name="replace">Replaces an existing pin; otherwise EEXIST.</param>
    public void Pin(string path, bool replace = false)
    {
        int errno = Bpffs.Pin(this, path, replace);
        if (errno != 0)
            throw Bpffs.PinRefused(ToString(), path, errno);
    }

    /// <summary>From now on bpf(2) cannot change the map; BPF programs still can. This cannot be undone.</summary>
    public void Freeze()
    {
        int errno = -Native.MapFreeze(this);
        if (errno != 0)
        {
            string why = errno switch
            {
                Errno.Ebusy or Errno.Eperm when IsFrozen() => "it is frozen already",
                Errno.Ebusy => "a process has it mapped into memory for writing, or is writing at this moment",
                Errno.Eperm => Privileges.Explain("CAP_BPF"),
                _ => "the kernel refused it",
            };
            throw new KernelException($"Cannot freeze {this}: {why}.", errno);
        }
    }

    /// <summary>Whether bpf(2) can no longer change the map. Only the descriptor's text in /proc shows this.</summary>
    public bool IsFrozen() => File.ReadLines($"/proc/self/fdinfo/{(int)handle}")
        .Any(line => line.StartsWith("frozen:", StringComparison.Ordinal) && line.AsSpan(7).Trim() is "1");

    private MapInfo ReadInfo()
    {
        Native.RawMapInfo raw = default;
        uint size = (uint)sizeof(Native.RawMapInfo);
        int errno = -Native.ObjectInfo(this, &raw, &size);
        if (errno != 0)
            throw new KernelException($"Cannot read the description of {this} from its descriptor: the kernel refused it.", errno);
        return new MapInfo(
            raw.Id, raw.Name.ToString(), (MapType)raw.Type, Size(raw.KeySize), Size(raw.ValueSize), raw.MaxEntries, raw.MapFlags,
            raw.BtfId, raw.BtfKeyTypeId, raw.BtfValueTypeId);
    }

    public override string ToString() => _info is null
        ? "a map"
        : $"map {(_info.Name.Length > 0 ? _info.Name : "without a name")} (id {_info.Id}, {_info.Type})";

    /// <summary>
    /// A second descriptor of the object behind <paramref name="descriptor"/>, which belongs to libbpf; it has its own lifetime.
    /// </summary>
    internal static BpfMap Duplicate(int descriptor, string what)
    {
        var map = new BpfMap();
        int errno = map.Take(Native.Duplicate(descriptor));
        if (errno != 0)
            throw new KernelException($"Cannot duplicate the descriptor of {what}.", errno);
        return map.Describe(what);
    }

    private static int Size(uint bytes) => (int)Math.Min(bytes, int.MaxValue);

    private static uint OpenFlags(MapAccess access) => access == MapAccess.Read ? MapFlags.ReadOnly : 0;

    // The pin of a program or a link can be opened too, and has a description with another structure.
    private BpfMap DescribePinned(string path)
    {
        if (new FileInfo($"/proc/self/fd/{(int)handle}").LinkTarget is { } kind && !kind.EndsWith("bpf-map", StringComparison.Ordinal))
        {
            Dispose();
            throw new KernelException($"Cannot use the pin {path} as a map: it is the pin of something else (a program or a link).", Errno.Einval);
        }
        return Describe($"the pin {path}");
    }

    private BpfMap Describe(string what)
    {
        try
        {
            _info = ReadInfo();
            return this;
        }
        catch (KernelException e)
        {
            Dispose();
            throw new KernelException($"Cannot use {what} as a map: the kernel does not describe it.", e.Errno);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private static KernelException CreateRefused(string name, MapType type, int keySize, int valueSize, uint maxEntries, uint flags, int errno)
    {
        string why = errno switch
        {
            Errno.Eperm => Privileges.Explain("CAP_BPF"),
            Errno.Einval => "this kernel does not know the kind or a flag, or a size does not suit the kind",
            Errno.E2big => "this kernel does not allow such a large key, value or number of entries",
            Errno.Enomem => "the kernel does not have enough memory for it",
            _ => "the kernel refused it",
        };
        return new KernelException(
            $"Cannot create the map {name} ({type}, key {keySize} bytes, value {valueSize} bytes, {maxEntries} entries, flags 0x{flags:x}): {why}.", errno);
    }
}
