namespace Maplog.Kernel;

/// <summary>The error numbers of bpf(2), mmap(2) and perf_event_open(2), as on x86-64 and arm64.</summary>
public static class Errno
{
    public const int Eperm = 1;
    public const int Enoent = 2;
    public const int Esrch = 3;
    public const int Eintr = 4;
    public const int E2big = 7;
    public const int Ebadf = 9;
    public const int Eagain = 11;
    public const int Enomem = 12;
    public const int Eacces = 13;
    public const int Efault = 14;
    public const int Ebusy = 16;
    public const int Eexist = 17;
    public const int Enodev = 19;
    public const int Enotdir = 20;
    public const int Einval = 22;
    public const int Enfile = 23;
    public const int Emfile = 24;
    public const int Enospc = 28;
    public const int Enosys = 38;
    public const int Enotempty = 39;
    public const int Eopnotsupp = 95;
    public const int Eaddrinuse = 98;

    /// <summary>ENOTSUPP: a number inside the kernel that no libc knows, although bpf(2) returns it.</summary>
    public const int Enotsupp = 524;

    /// <summary>libbpf's own, from 4000 (LIBBPF_ERRNO__LIBELF) on.</summary>
    private static readonly string[] LibbpfNames =
    [
        "libbpf LIBELF", "libbpf FORMAT", "libbpf KVERSION", "libbpf ENDIAN", "libbpf INTERNAL", "libbpf RELOC", "libbpf LOAD",
        "libbpf VERIFY", "libbpf PROG2BIG", "libbpf KVER", "libbpf PROGTYPE", "libbpf WRNGPID", "libbpf INVSEQ", "libbpf NLPARSE",
    ];

    /// <summary>Whether the process or the host has run out of a resource: the error says nothing about the requested object.</summary>
    public static bool IsShortage(int errno) => errno is Enomem or Enfile or Emfile;

    /// <summary>Half a sentence about a shortage.</summary>
    internal static string Shortage(int errno) => errno switch
    {
        Emfile => "this process has reached its limit of open files (EMFILE); raise its limit (LimitNOFILE= in systemd)",
        Enfile => "this host has reached its limit of open files (ENFILE); raise fs.file-max",
        _ => "the kernel does not have enough memory for it (ENOMEM)",
    };

    /// <summary>The name in errno(3): <c>ENOENT</c> for 2.</summary>
    public static string Name(int errno) => errno switch
    {
        Eperm => "EPERM",
        Enoent => "ENOENT",
        Esrch => "ESRCH",
        Eintr => "EINTR",
        5 => "EIO",
        6 => "ENXIO",
        E2big => "E2BIG",
        8 => "ENOEXEC",
        Ebadf => "EBADF",
        10 => "ECHILD",
        Eagain => "EAGAIN",
        Enomem => "ENOMEM",
        Eacces => "EACCES",
        Efault => "EFAULT",
        Ebusy => "EBUSY",
        Eexist => "EEXIST",
        18 => "EXDEV",
        Enodev => "ENODEV",
        Enotdir => "ENOTDIR",
        21 => "EISDIR",
        Einval => "EINVAL",
        Enfile => "ENFILE",
        Emfile => "EMFILE",
        27 => "EFBIG",
        Enospc => "ENOSPC",
        30 => "EROFS",
        34 => "ERANGE",
        35 => "EDEADLK",
        36 => "ENAMETOOLONG",
        Enosys => "ENOSYS",
        Enotempty => "ENOTEMPTY",
        40 => "ELOOP",
        61 => "ENODATA",
        71 => "EPROTO",
        75 => "EOVERFLOW",
        84 => "EILSEQ",
        90 => "EMSGSIZE",
        93 => "EPROTONOSUPPORT",
        Eopnotsupp => "EOPNOTSUPP",
        Eaddrinuse => "EADDRINUSE",
        110 => "ETIMEDOUT",
        116 => "ESTALE",
        Enotsupp => "ENOTSUPP",
        >= 4000 and < 4014 => LibbpfNames[errno - 4000],
        _ => $"errno {errno}",
    };
}
