using System.Runtime.InteropServices;
using Maplog.Kernel;

namespace Maplog.Tests.Kernel.Walking;

/// <summary>A table of 24 + 64 bytes that a program of ours (tests/bpf/poke.bpf.c) fills, changes in place and empties.</summary>
internal sealed class PokedTable : IDisposable
{
    private readonly BpfObject _programs;

    public PokedTable(string name, MapType type, uint maxEntries, uint flags = 0)
        : this(BpfMap.Create(name, type, 24, 64, maxEntries, flags))
    {
    }

    /// <summary>The same for a map that is there.</summary>
    public PokedTable(BpfMap map)
    {
        Map = map;
        _programs = TestObject.Open("poke");
        _programs.SetMaxEntries("poked", map.Info.MaxEntries);
        _programs.ReuseMap("poked", Map);
        _programs.Load();
    }

    public BpfMap Map { get; }

    /// <summary>Makes or replaces entries by helper.</summary>
    public void Make(uint from, uint count, uint state, uint step = 1) =>
        Run("make", new Call { From = from, Count = count, Step = step, State = state });

    /// <summary>Sets the state of entries and counts packets, through the pointer that a lookup returns.</summary>
    public void Poke(uint from, uint count, uint state, uint packets = 1, uint step = 1) =>
        Run("poke", new Call { From = from, Count = count, Step = step, State = state, Packets = packets });

    /// <summary>Deletes entries by helper.</summary>
    public void Drop(uint from, uint count, uint step = 1) => Run("drop", new Call { From = from, Count = count, Step = step });

    public void Dispose()
    {
        _programs.Dispose();
        Map.Dispose();
    }

    private void Run(string program, Call call) => _programs.Program(program).Call(ref call);

    [StructLayout(LayoutKind.Sequential)]
    private struct Call
    {
        public uint From, Count, Step, State, Packets;
    }
}
