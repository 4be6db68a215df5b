using System.Net;
using Maplog.HotStandby;
using Maplog.Kernel;

namespace Maplog.Benchmarks.Rows.Standby;

/// <summary>A hot-standby group of two members at one port, each with a thread that accepts; gone when it is disposed.</summary>
internal sealed class MeasuredGroup : IDisposable
{
    private readonly string _root;
    private readonly string _name;
    private readonly StandbyMember[] _members;
    private readonly Acceptors _acceptors;

    public MeasuredGroup(string name, StandbyPolicy policy, IPEndPoint address)
    {
        (_root, _name, Address) = ($"{Bpffs.Root}/maplog_bench_standby_{Environment.ProcessId}", name, address);
        _members = [.. Enumerable.Range(0, 2).Select(n => StandbyMember.Join(new StandbyOptions { PinRoot = _root, Group = name, Member = $"member-{n}", Rank = n, Policy = policy }))];
        _acceptors = new Acceptors(address, 2, (n, s) => _members[n].Bind(s, address), (n, s) => _members[n].Serve(s), (n, l, c) => _members[n].Admit(l, c));
    }

    public IPEndPoint Address { get; }

    public PinnedProgram OpenProgram() => PinnedProgram.Open(Directory.EnumerateFiles(Path.Combine(_root, _name, "endpoints"), "program", SearchOption.AllDirectories).Single());

    public void Dispose()
    {
        foreach (var member in _members)
            member.Dispose();
        _acceptors.Dispose();
        StandbyGroup.Remove(_root, _name);
        if (!Directory.EnumerateFileSystemEntries(_root).Any())
            Directory.Delete(_root);
    }
}
