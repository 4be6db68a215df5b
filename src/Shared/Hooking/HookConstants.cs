using System.Runtime.InteropServices;
using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>struct maplog_constants of bpf/record.h, field by field: facts about this kernel for the programs.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct HookConstants(ulong PossibleCpus, ulong BpfMapFops, ulong PerCpuOffset, ulong PreemptCount, ulong PcpuHot)
{
    public static HookConstants OfThisKernel()
    {
        var addresses = Kallsyms.AddressesOf("bpf_map_fops", "__per_cpu_offset", "__preempt_count", "pcpu_hot");
        return new HookConstants(
            (ulong)Maplog.Kernel.PossibleCpus.Count, addresses.GetValueOrDefault("bpf_map_fops"), addresses.GetValueOrDefault("__per_cpu_offset"),
            addresses.GetValueOrDefault("__preempt_count"), addresses.GetValueOrDefault("pcpu_hot"));
    }

    public void Write(Span<byte> constants) => MemoryMarshal.Write(constants, this);
}
