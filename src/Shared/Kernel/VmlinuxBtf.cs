using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>The types and functions of the running kernel, from its BTF (/sys/kernel/btf/vmlinux); modules are not in it.</summary>
[SuppressMessage("Interoperability", "CA1419", Justification = "Only BTF that was read is handed out.")]
public sealed class VmlinuxBtf : SafeHandle
{
    private const uint Struct = 4, Function = 12;

    private VmlinuxBtf()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Reads the kernel's BTF, some MiB.</summary>
    public static VmlinuxBtf Load() => TryLoad(out int errno) ?? throw new KernelException(
        "Cannot read the kernel's BTF: this kernel was built without it (CONFIG_DEBUG_INFO_BTF), or /sys is not mounted; programs that need BTF cannot be loaded here.", errno);

    /// <summary>The same, or null if the kernel has none.</summary>
    public static VmlinuxBtf? TryLoad() => TryLoad(out _);

    /// <summary>A function that fentry and fexit programs can name.</summary>
    public bool HasFunction(string name) => Native.BtfFind(this, name, Function) > 0;

    /// <summary>A structure of this name.</summary>
    public bool HasStruct(string name) => Native.BtfFind(this, name, Struct) > 0;

    protected override bool ReleaseHandle()
    {
        Native.BtfFree(handle);
        return true;
    }

    private static VmlinuxBtf? TryLoad(out int errno)
    {
        using var _ = LibbpfLog.Collect([]);
        var btf = new VmlinuxBtf();
        btf.SetHandle(Native.BtfLoadVmlinux());
        errno = btf.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
        return btf.IsInvalid ? null : btf;
    }
}
