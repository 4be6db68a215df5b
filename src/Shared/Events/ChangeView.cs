using System.Buffers.Binary;
using System.Text;

namespace Maplog.Events;

/// <summary>A change payload read in place; see <see cref="ChangePayload"/> for the layout.</summary>
public readonly ref struct ChangeView
{
    private readonly ReadOnlySpan<byte> _payload;
    private readonly int _commSize;
    private readonly int _keySize;

    internal ChangeView(ReadOnlySpan<byte> payload, int commSize, int keySize)
    {
        _payload = payload;
        _commSize = commSize;
        _keySize = keySize;
    }

    public ChangeHeader Header => new()
    {
        Origin = (Origin)_payload[1],
        Cpu = BinaryPrimitives.ReadUInt16BigEndian(_payload[2..]),
        Tgid = BinaryPrimitives.ReadUInt32BigEndian(_payload[4..]),
        Epoch = new Epoch(BinaryPrimitives.ReadInt32BigEndian(_payload[8..])),
        RecordIndex = BinaryPrimitives.ReadUInt32BigEndian(_payload[12..]),
        KernelTime = BinaryPrimitives.ReadInt64BigEndian(_payload[16..]),
        RingPosition = BinaryPrimitives.ReadInt64BigEndian(_payload[24..]),
    };

    public ReadOnlySpan<byte> CommBytes => _payload.Slice(ChangePayload.FixedSize, _commSize);

    public string Comm => Encoding.UTF8.GetString(CommBytes);

    /// <summary>Key bytes, as the kernel map has them.</summary>
    public ReadOnlySpan<byte> Key => _payload.Slice(ChangePayload.FixedSize + _commSize, _keySize);

    /// <summary>Value bytes as bpf(2) gives them (per-CPU kinds: all CPUs, each rounded up to 8 bytes); empty for a delete or an eviction.</summary>
    /// <exception cref="InvalidOperationException">The change has parts of the value alone, see <see cref="HasParts"/>.</exception>
    public ReadOnlySpan<byte> Value =>
        HasParts ? throw new InvalidOperationException("This change carries the parts of a per-CPU value that changed, not the whole value.") : Rest;

    /// <summary>Whether the change carries only the parts of a per-CPU value that it changed.</summary>
    public bool HasParts => _payload[0] == ChangePayload.PartsLayout;

    /// <summary>The parts, where the change <see cref="HasParts"/>.</summary>
    public CpuParts Parts => CpuParts.TryRead(Rest, out var parts) ? parts : default;

    internal ReadOnlySpan<byte> Rest => _payload[(ChangePayload.FixedSize + _commSize + _keySize)..];
}
