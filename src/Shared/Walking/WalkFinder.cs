using System.Runtime.InteropServices;
using Maplog.Kernel;

namespace Maplog.Walking;

/// <summary>Finds where the elements of maps lie, by an iterator over all maps of the kernel. For one thread at a time.</summary>
internal sealed class WalkFinder : IDisposable
{
    private readonly BpfMap _places;
    private readonly BpfLink _link;

    private WalkFinder(BpfMap places, BpfLink link) => (_places, _link) = (places, link);

    /// <exception cref="KernelException">This kernel has no iterators over maps, or no BTF.</exception>
    public static WalkFinder Load(string? kernelBtf = null)
    {
        using var image = WalkImage.Open(WalkImage.Find, kernelBtf);
        image.Load();
        var link = image.Program(WalkImage.Find).Attach();
        try
        {
            return new WalkFinder(image.Map(WalkImage.Places), link);
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    /// <summary>The place of a map that the caller holds open.</summary>
    public WalkPlace Find(BpfMap map)
    {
        var place = new WalkPlace { Id = map.Info.Id };
        var bytes = MemoryMarshal.AsBytes(new Span<WalkPlace>(ref place));
        _places.Update(stackalloc byte[sizeof(uint)], bytes);
        _link.Iterate();
        _places.Lookup(stackalloc byte[sizeof(uint)], bytes);
        return place;
    }

    public void Dispose()
    {
        _link.Dispose();
        _places.Dispose();
    }
}
