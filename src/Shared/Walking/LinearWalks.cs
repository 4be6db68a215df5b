using Maplog.Events;
using Maplog.Kernel;

namespace Maplog.Walking;

/// <summary>
/// Makes walks for maps, where this kernel allows them. The kernel's layout is never assumed: the offsets are from its BTF, and each
/// kind and size of map is tried first on a map of our own. For any number of threads.
/// </summary>
/// <param name="kernelBtf">A file with the kernel's BTF; null: the kernel's own.</param>
public sealed class LinearWalks(string? kernelBtf = null) : IDisposable
{
    private const int MaxTrials = 3;

    private readonly Lock _lock = new();
    private readonly Dictionary<(MapType, int, int, uint), string?> _mistakes = [];
    private WalkFinder? _finder;
    private string? _refused;
    private bool _hasCast;

    /// <summary>Whether the elements of such a map lie in memory one after the other, as far as bpf(2) tells.</summary>
    public static bool CanBe(MapShape map) =>
        WalkShape.CanBe((MapType)map.Type, (uint)map.Flags, map.KeySize, map.ValueSize, map.MaxEntries);

    /// <summary>The walk for a map, or null.</summary>
    /// <param name="map">The map, open.</param>
    /// <param name="counted">The bits of its values that count; null: all.</param>
    /// <param name="whyNot">Why there is none.</param>
    public LinearWalk? TryMake(BpfMap map, byte[]? counted, out string? whyNot)
    {
        lock (_lock)
        {
            try
            {
                whyNot = _refused ?? WhyNot(map.Info);
                if (whyNot is not null)
                    return null;
                var place = _finder!.Find(map);
                whyNot = place.IsOf(map.Info) ? null : "the kernel's iterator does not describe the map as bpf(2) does";
                return whyNot is null ? LinearWalk.Load(map.Info, place, counted, _hasCast, kernelBtf) : null;
            }
            catch (KernelException e)
            {
                whyNot = e.Message.Split('\n')[0];
                return null;
            }
        }
    }

    public void Dispose() => _finder?.Dispose();

    private string? WhyNot(MapInfo map)
    {
        if (!WalkShape.CanBe(map.Type, map.Flags, map.KeySize, map.ValueSize, map.MaxEntries))
            return "the elements of such a map do not lie in memory one after the other";
        if (_finder is null && !TryLoad())
            return _refused;
        var kind = (map.Type, map.KeySize, map.ValueSize, map.Flags & MapFlags.Mappable);
        if (!_mistakes.TryGetValue(kind, out var mistake))
        {
            // An LRU map may evict an entry in the middle of a trial.
            for (var tries = 0; tries == 0 || mistake is not null && tries < MaxTrials; tries++)
                mistake = WalkTrial.Mistake(_finder!, map, _hasCast, kernelBtf);
            if (mistake is not null)
                mistake = $"a trial on a map of our own failed: {mistake}";
            _mistakes[kind] = mistake;
        }
        return mistake;
    }

    // Once: a kernel that cannot do this now cannot do it later.
    private bool TryLoad()
    {
        try
        {
            using (var kernel = VmlinuxBtf.Load())
                _hasCast = kernel.HasFunction("bpf_rdonly_cast");
            _finder = WalkFinder.Load(kernelBtf);
            return true;
        }
        catch (KernelException e)
        {
            _refused = e.Message.Split('\n')[0];
            return false;
        }
    }
}
