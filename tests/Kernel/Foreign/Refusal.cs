using Maplog.Tests.Recorded;

namespace Maplog.Tests.Kernel.Foreign;

/// <summary>Maps that the kernel refuses to a process that is started with <see cref="Command"/>, as a security module can have it.</summary>
internal sealed class Refusal : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    /// <summary>What the process's command line begins with.</summary>
    public string[] Command => ["env", $"LD_PRELOAD={Path.Combine(Repository.Driver, "refuse.so")}", $"REFUSED_MAPS={_file}"];

    /// <summary>From now on these are refused, and no others.</summary>
    /// <param name="names">Maps by id, pins by path; b and an id: BTF.</param>
    public void Refuse(params object[] names)
    {
        File.WriteAllLines(_file + ".new", names.Select(n => $"{n}"));
        File.Move(_file + ".new", _file, overwrite: true);
    }

    public void Dispose() => File.Delete(_file);
}
