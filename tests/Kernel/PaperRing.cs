using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Maplog.Tests.Kernel;

/// <summary>
/// A file with the layout of a ring's pages, for states that a program cannot be made to hold: a record half written,
/// positions of a ring that has run for years.
/// </summary>
public sealed class PaperRing : IDisposable
{
    public const uint Size = 4096;
    private readonly string _path = $"/dev/shm/maplog_ring_{Guid.NewGuid():N}";
    private readonly FileStream _stream;
    private readonly MemoryMappedFile _mapped;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long _page = Environment.SystemPageSize;

    public PaperRing(ulong start)
    {
        _stream = new FileStream(_path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
        _stream.SetLength((2 * _page) + (2 * Size));
        _mapped = MemoryMappedFile.CreateFromFile(_stream, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        _view = _mapped.CreateViewAccessor();
        Consumer = start;
        Producer = start;
    }

    public SafeFileHandle File => _stream.SafeFileHandle;

    public ulong Consumer
    {
        get => _view.ReadUInt64(0);
        set => _view.Write(0, value);
    }

    public ulong Producer
    {
        get => _view.ReadUInt64(_page);
        set => _view.Write(_page, value);
    }

    /// <summary>A record whose data begin with its position, put where the kernel's two mappings of the data would both show it.</summary>
    public void Write(ulong position, uint length, bool busy = false)
    {
        foreach (ulong copy in new[] { 0ul, Size })
        {
            long at = (2 * _page) + (long)((position % Size) + copy);
            if (at + 8 + length > (2 * _page) + (2 * Size))
                continue;
            _view.Write(at, length | (busy ? 1u << 31 : 0));
            _view.Write(at + 8, position);
        }
    }

    public void Dispose()
    {
        _view.Dispose();
        _mapped.Dispose();
        _stream.Dispose();
        System.IO.File.Delete(_path);
    }
}
