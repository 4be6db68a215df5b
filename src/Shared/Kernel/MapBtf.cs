namespace Maplog.Kernel;

/// <summary>The kernel's BTF of a map's key and value: with it, old bytes stay readable after the program has ended.</summary>
public static class MapBtf
{
    /// <summary>The raw BTF of this id (<see cref="MapInfo.BtfId"/>), as in a .BTF section; empty for id 0.</summary>
    public static byte[] Read(uint btfId) => TryRead(btfId, out int errno) ?? throw new KernelException(
        $"Cannot read the BTF with id {btfId}: " + errno switch
        {
            Errno.Enoent => "no map or program uses it any more.",
            Errno.Eperm or Errno.Eacces => $"{Privileges.ExplainOne("CAP_SYS_ADMIN")}.",
            _ => "the kernel refused it.",
        }, errno);

    /// <summary>The same, with a refusal as a result: BTF ends with the last map or program that uses it.</summary>
    /// <param name="btfId">The kernel's id; 0: none.</param>
    /// <param name="errno">0; ENOENT: no map or program uses it any more; otherwise why it cannot be read.</param>
    public static unsafe byte[]? TryRead(uint btfId, out int errno)
    {
        errno = 0;
        if (btfId == 0)
            return [];
        using var fd = new BtfFd();
        Native.RawBtfInfo info = default;
        errno = fd.Take(Native.BtfFdById(btfId));
        if (errno != 0 || (errno = Ask(fd, &info)) != 0)
            return null;
        var bytes = new byte[info.BtfSize];
        fixed (byte* room = bytes)
        {
            info = new Native.RawBtfInfo { Btf = (ulong)room, BtfSize = (uint)bytes.Length };
            errno = Ask(fd, &info);
        }

        return errno == 0 ? bytes : null;
    }

    /// <summary>Loads raw BTF into the kernel, for the creation of a map.</summary>
    public static unsafe BtfFd Load(ReadOnlySpan<byte> bytes)
    {
        var fd = new BtfFd();
        fixed (byte* b = bytes)
        {
            int errno = fd.Take(Native.BtfLoad(b, (nuint)bytes.Length, null));
            if (errno != 0)
            {
                throw new KernelException(
                    $"Cannot load BTF of {bytes.Length} bytes: {(errno == Errno.Eperm ? Privileges.Explain("CAP_BPF") : "the kernel finds it broken, or is too old for it; create the map without BTF")}.", errno);
            }
        }

        return fd;
    }

    private static unsafe int Ask(BtfFd fd, Native.RawBtfInfo* info)
    {
        uint size = (uint)sizeof(Native.RawBtfInfo);
        return -Native.ObjectInfo(fd, info, &size);
    }
}
