using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>A perf event for a kprobe or a tracepoint, to which such a program is attached.</summary>
internal sealed unsafe class PerfEventFd : OwnedFd
{
    private const uint TracepointType = 2; // PERF_TYPE_TRACEPOINT
    private const string KprobeFolder = "/sys/bus/event_source/devices/kprobe";

    public static PerfEventFd Kprobe(string function, bool atReturn, out int errno)
    {
        string[] parts = function.Split('+');
        var attributes = new Native.PerfEventAttributes();
        nint name = Marshal.StringToCoTaskMemUTF8(parts[0]);
        try
        {
            attributes.Type = uint.Parse(File.ReadAllText($"{KprobeFolder}/type"));
            if (atReturn)
            {
                // "config:0": the bit's number
                string format = File.ReadAllText($"{KprobeFolder}/format/retprobe").Trim();
                attributes.Config = 1ul << int.Parse(format.AsSpan(format.IndexOf(':') + 1));
            }

            attributes.Config1 = (ulong)name;
            if (parts.Length > 1)
                attributes.Config2 = parts[1].StartsWith("0x", StringComparison.Ordinal) ? ulong.Parse(parts[1].AsSpan(2), NumberStyles.HexNumber) : ulong.Parse(parts[1]);
            return Open(&attributes, out errno);
        }
        catch (IOException)
        {
            errno = Errno.Enodev;
            return new PerfEventFd();
        }
        finally
        {
            Marshal.FreeCoTaskMem(name);
        }
    }

    public static PerfEventFd Tracepoint(string category, string name, out int errno)
    {
        string root = Directory.Exists("/sys/kernel/tracing/events") ? "/sys/kernel/tracing" : "/sys/kernel/debug/tracing";
        try
        {
            var attributes = new Native.PerfEventAttributes
            {
                Type = TracepointType,
                Config = ulong.Parse(File.ReadAllText($"{root}/events/{category}/{name}/id")),
            };
            return Open(&attributes, out errno);
        }
        catch (IOException)
        {
            errno = Directory.Exists($"{root}/events") ? Errno.Enoent : Errno.Enodev;
        }
        catch (UnauthorizedAccessException)
        {
            errno = Errno.Eacces;
        }

        return new PerfEventFd();
    }

    private static PerfEventFd Open(Native.PerfEventAttributes* attributes, out int errno)
    {
        attributes->Size = (uint)Unsafe.SizeOf<Native.PerfEventAttributes>();
        var fd = new PerfEventFd();
        errno = fd.Take(Native.PerfEventOpen(attributes));
        return fd;
    }
}
