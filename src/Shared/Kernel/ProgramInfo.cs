using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>The kernel's description of a loaded program.</summary>
/// <param name="Id">The kernel's id.</param>
/// <param name="Name">The name, cut after 15 characters.</param>
/// <param name="Type">The kernel's number of the kind (BPF_PROG_TYPE_*).</param>
/// <param name="Tag">A hash of its instructions, 16 hexadecimal digits.</param>
/// <param name="LoadedAt">Time of its load, since boot.</param>
/// <param name="RunCount">Runs; counted while statistics are on, see <see cref="ProgramStatistics"/>.</param>
/// <param name="RunTime">Total time of these runs.</param>
/// <param name="RecursionMisses">
/// Runs that the kernel skipped because the program was already running on that CPU; kernels before 5.12 report 0.
/// </param>
/// <param name="BtfId">Id of its BTF, 0 if none.</param>
/// <param name="MapIds">The maps that it uses.</param>
public sealed record ProgramInfo(
    uint Id, string Name, int Type, string Tag, TimeSpan LoadedAt, ulong RunCount, TimeSpan RunTime, ulong RecursionMisses, uint BtfId, IReadOnlyList<uint> MapIds)
{
    /// <summary>The program with this id (CAP_SYS_ADMIN), such as <see cref="LinkInfo.ProgramId"/>.</summary>
    public static ProgramInfo ById(uint id)
    {
        using var fd = new ProgramFd();
        int errno = fd.Take(Native.ProgramFdById(id));
        return errno == 0 ? Read(fd, $"with id {id}") : throw new KernelException(
            $"Cannot open the program with id {id}: {(errno == Errno.Eperm ? Privileges.Explain("CAP_SYS_ADMIN") : "there is no such program")}.", errno);
    }

    /// <summary>The program of a descriptor of libbpf; libbpf still owns the descriptor.</summary>
    internal static ProgramInfo OfDescriptor(int descriptor, string what)
    {
        using var fd = new ProgramFd();
        int errno = fd.Take(Native.Duplicate(descriptor));
        return errno == 0 ? Read(fd, what) : throw new KernelException($"Cannot duplicate the descriptor of the program {what}.", errno);
    }

    internal static unsafe ProgramInfo Read(OwnedFd fd, string what)
    {
        uint* maps = stackalloc uint[64]; // MAX_USED_MAPS; none of ours comes near
        var raw = new Native.RawProgramInfo { MapCount = 64, MapIds = (ulong)maps };
        uint size = (uint)sizeof(Native.RawProgramInfo);
        int errno = -Native.ObjectInfo(fd, &raw, &size);
        if (errno != 0)
            throw new KernelException($"Cannot read the description of the program {what}: the kernel refused it.", errno);
        return new ProgramInfo(
            raw.Id, raw.Name.ToString(), (int)raw.Type,
            Convert.ToHexStringLower(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in raw.Tag))),
            Nanoseconds(raw.LoadTime), raw.RunCount, Nanoseconds(raw.RunTime), raw.RecursionMisses, raw.BtfId,
            new ReadOnlySpan<uint>(maps, (int)Math.Min(raw.MapCount, 64)).ToArray());
    }

    private static TimeSpan Nanoseconds(ulong count) => TimeSpan.FromTicks((long)(count / TimeSpan.NanosecondsPerTick));
}
