namespace Maplog.Kernel;

/// <summary>The BTF of a map's key and value, as the kernel keeps it: with it old bytes stay readable when the program is gone.</summary>
public static class MapBtf
{
    /// <summary>The raw BTF of this id (<see cref="MapInfo.BtfId"/>), as a .BTF section holds it; empty for id 0.</summary>
    public static unsafe byte[] Read(uint btfId)
    {
        if (btfId == 0)
            return [];
        using var fd = new BtfFd();
        int errno = fd.Take(Native.BtfFdById(btfId));
        if (errno != 0)
        {
            throw new KernelException(
                $"Cannot open the BTF with id {btfId}: {(errno == Errno.Eperm ? Privileges.Explain("CAP_SYS_ADMIN") : "no map or program has it any more")}.", errno);
        }

        Native.RawBtfInfo info = default;
        Ask(fd, btfId, &info);
        var bytes = new byte[info.BtfSize];
        fixed (byte* room = bytes)
        {
            info = new Native.RawBtfInfo { Btf = (ulong)room, BtfSize = (uint)bytes.Length };
            Ask(fd, btfId, &info);
        }

        return bytes;
    }

    /// <summary>Gives raw BTF to the kernel, for a map to be made with it.</summary>
    public static unsafe BtfFd Load(ReadOnlySpan<byte> bytes)
    {
        var fd = new BtfFd();
        fixed (byte* b = bytes)
        {
            int errno = fd.Take(Native.BtfLoad(b, (nuint)bytes.Length, null));
            if (errno != 0)
            {
                throw new KernelException(
                    $"Cannot load BTF of {bytes.Length} bytes: {(errno == Errno.Eperm ? Privileges.Explain("CAP_BPF") : "the kernel finds it broken, or is too old for it; make the map without BTF")}.", errno);
            }
        }

        return fd;
    }

    private static unsafe void Ask(BtfFd fd, uint btfId, Native.RawBtfInfo* info)
    {
        uint size = (uint)sizeof(Native.RawBtfInfo);
        int errno = -Native.ObjectInfo(fd, info, &size);
        if (errno != 0)
            throw new KernelException($"Cannot read the BTF with id {btfId}: the kernel refused it.", errno);
    }
}
