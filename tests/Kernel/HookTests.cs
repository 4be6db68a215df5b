using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

/// <summary>
/// Kernel functions are hooked where this kernel lets them be; where it does not (no kprobes, lockdown), the refusal says so.
/// In the VM every one of them is hooked.
/// </summary>
public sealed partial class HookTests
{
    private static readonly string Function =
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "__arm64_sys_getpgid" : "__x64_sys_getpgid";

    private static bool HasKprobes => Directory.Exists("/sys/bus/event_source/devices/kprobe");

    [Fact]
    public void A_kprobe_runs_while_its_link_is_held_or_is_refused_in_a_sentence()
    {
        using BpfObject hooks = Load(kprobes: true);
        using BpfMap runs = hooks.Map("runs");
        if (!HasKprobes)
        {
            var refused = Assert.Throws<KernelException>(() => hooks.Program("at_entry").AttachKprobe(Function));
            Assert.Equal(Errno.Enodev, refused.Errno);
            Assert.Contains("no kprobes", refused.Message);
            return;
        }

        using (hooks.Program("at_entry").AttachKprobe(Function))
        using (hooks.Program("at_return").AttachKprobe(Function, atReturn: true))
        {
            Call(5);
            Assert.Equal([5ul, 5ul], [Runs(runs, 0), Runs(runs, 1)]);
        }

        Call(5);
        Assert.Equal([5ul, 5ul], [Runs(runs, 0), Runs(runs, 1)]);

        // As the section says, and there is no such function.
        var absent = Assert.Throws<KernelException>(() => hooks.Program("at_entry").Attach());
        Assert.Equal(Errno.Enoent, absent.Errno);
        Assert.Contains("no_function_yet", absent.Message);
    }

    [Fact]
    public void A_pinned_kprobe_goes_on_and_where_it_cannot_be_pinned_it_ends()
    {
        using var pins = new PinFolder();
        BpfObject hooks = Load(kprobes: true);
        using BpfMap runs = hooks.Map("runs");
        BpfLink link;
        try
        {
            link = hooks.Program("at_entry").AttachKprobe(Function);
        }
        catch (KernelException e)
        {
            Assert.False(HasKprobes, e.Message);
            hooks.Dispose();
            return;
        }

        bool pinned = link.TryPin(pins["link"], out int errno);
        Assert.Equal(Environment.OSVersion.Version >= new Version(5, 15), pinned);
        Assert.Equal(pinned ? 0 : Errno.Einval, errno);
        link.Dispose();
        hooks.Dispose();
        Call(5);
        Assert.Equal(pinned ? 5ul : 0ul, Runs(runs, 0));
    }

    [Fact]
    public void A_fentry_and_a_fexit_run_or_are_refused_in_a_sentence()
    {
        BpfObject hooks;
        try
        {
            hooks = Load(kprobes: false);
        }
        catch (KernelException e)
        {
            Assert.False(HasKprobes, e.Message);
            Assert.Contains("lockdown", e.Message);
            return;
        }

        using var _ = hooks;
        using BpfMap runs = hooks.Map("runs");
        BpfLink entry;
        try
        {
            entry = hooks.Program("fentry_program").Attach();
        }
        catch (KernelException e)
        {
            Assert.False(HasKprobes, e.Message);
            Assert.Contains("fentry_program", e.Message);
            Assert.Contains("lock", e.Message);
            return;
        }

        using (entry)
        using (hooks.Program("fexit_program").Attach())
        {
            Call(5);
            Assert.Equal([5ul, 5ul], [Runs(runs, 2), Runs(runs, 3)]);
        }

        Call(5);
        Assert.Equal([5ul, 5ul], [Runs(runs, 2), Runs(runs, 3)]);
    }

    private static BpfObject Load(bool kprobes)
    {
        BpfObject hooks = TestObject.Open("hooks");
        try
        {
            foreach (string program in new[] { "at_entry", "at_return" })
                hooks.SetAutoload(program, kprobes);
            foreach (string program in new[] { "fentry_program", "fexit_program" })
            {
                hooks.SetAutoload(program, !kprobes);
                if (!kprobes)
                    hooks.SetAttachTarget(program, Function);
            }

            hooks.Load();
            return hooks;
        }
        catch
        {
            hooks.Dispose();
            throw;
        }
    }

    private static void Call(int times)
    {
        for (int i = 0; i < times; i++)
            _ = GetProcessGroup(0);
    }

    private static ulong Runs(BpfMap runs, int slot)
    {
        var value = new byte[8];
        Assert.True(runs.Lookup(Bytes.Of(slot), value));
        return BinaryPrimitives.ReadUInt64LittleEndian(value);
    }

    [LibraryImport("libc", EntryPoint = "getpgid")]
    private static partial int GetProcessGroup(int process);
}
