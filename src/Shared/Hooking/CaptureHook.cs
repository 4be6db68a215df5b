using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>
/// The attached hook in the kernel: its ring, the maps that control it, and the functions that could be hooked. A pinned hook continues to
/// record when the process ends, and the next process takes it over as it is.
/// </summary>
public sealed class CaptureHook : IDisposable
{
    /// <summary>Loss slots of maps that the daemon has opened; before that, all maps share slot 0.</summary>
    public const int Slots = 4096;

    internal const uint NotWatched = 1, WatchedFrom = 2, VerdictsInArray = 262144;

    private const int BeyondChunk = 1024;

    private readonly HookMaps _maps;
    private readonly SkipCounters _skips;
    private readonly IReadOnlyList<IDisposable> _links;
    private readonly HookPins? _pins;

    internal CaptureHook(
        Probe probe, HookMaps maps, SkipCounters skips, IReadOnlyList<IDisposable> links, IReadOnlyList<HookState> hooks,
        IReadOnlyList<ProbeTrial> refused, HookPins? pins, bool isResumed)
    {
        Probe = probe;
        _pins = pins;
        _maps = maps;
        _skips = skips;
        _links = links;
        Hooks = hooks;
        Refused = refused;
        IsResumed = isResumed;
        Ring = new RingReader(maps.Ring, maps.Ring.Info.MaxEntries);
    }

    public Probe Probe { get; }

    /// <summary>The state of each hook.</summary>
    public IReadOnlyList<HookState> Hooks { get; }

    /// <summary>The better probes that this kernel refused, and why.</summary>
    public IReadOnlyList<ProbeTrial> Refused { get; }

    /// <summary>Whether the hook continues to record when this process ends.</summary>
    public bool IsPinned => _pins is not null;

    /// <summary>Whether programs and ring existed already, pinned by an earlier process.</summary>
    public bool IsResumed { get; }

    public RingReader Ring { get; }

    /// <summary>The kernel's id of the ring; together with the boot id and a record's position it identifies the record.</summary>
    public uint RingId => _maps.Ring.Info.Id;

    /// <summary>Attaches the hook, or takes over the pinned hook if it has the wanted record layout, probe and ring size.</summary>
    /// <exception cref="KernelException">None of the requested probes works here; the message gives the reason for each probe.</exception>
    public static CaptureHook Attach(HookOptions options) => HookAttacher.Attach(options);

    /// <summary>Replaces the watched names. Maps with a verdict keep it until <see cref="Watch"/> or <see cref="Ignore"/>.</summary>
    public void SetNames(IReadOnlyList<NamePattern> names) => _maps.SetNames(names);

    /// <summary>From now on the hook records the changes of this map, and counts its losses in this slot.</summary>
    public void Watch(uint mapId, int slot) => SetVerdict(mapId, WatchedFrom + (uint)slot);

    /// <summary>From now on the hook does not record the changes of this map.</summary>
    public void Ignore(uint mapId) => SetVerdict(mapId, NotWatched);

    /// <summary>The loss slot of a watched map; 0: the map has no slot of its own.</summary>
    public int? SlotOf(uint mapId) => VerdictOf(mapId) is var verdict and >= WatchedFrom ? (int)(verdict - WatchedFrom) : null;

    /// <summary>Whether the hook saw operations on the map and did not record them.</summary>
    public bool IsIgnored(uint mapId) => VerdictOf(mapId) == NotWatched;

    /// <summary>The maps with a verdict in the hash for high ids, which has no room for closed maps.</summary>
    public IReadOnlyList<uint> JudgedBeyond()
    {
        var ids = new List<uint>();
        var keys = new byte[BeyondChunk * sizeof(uint)];
        var verdicts = new byte[BeyondChunk * sizeof(uint)];
        var scan = _maps.Beyond.Scan(BeyondChunk);
        for (int count; (count = scan.Next(keys, verdicts)) > 0;)
            ids.AddRange(MemoryMarshal.Cast<byte, uint>(keys.AsSpan(0, count * sizeof(uint))));
        return ids;
    }

    /// <summary>Removes the verdict of a closed map from that hash.</summary>
    public void Forget(uint mapId)
    {
        Span<byte> key = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(key, mapId);
        _maps.Beyond.Delete(key);
    }

    /// <summary>The losses of a slot that the log reports, as <see cref="Account"/> left them.</summary>
    public Accounted ReadAccount(int slot)
    {
        Span<byte> key = stackalloc byte[4];
        Span<byte> value = stackalloc byte[Accounted.Size];
        BinaryPrimitives.WriteInt32LittleEndian(key, slot);
        _maps.Accounts.Lookup(key, value);
        return MemoryMarshal.Read<Accounted>(value);
    }

    /// <summary>Notes for the next daemon that the log reports these losses of a slot.</summary>
    public void Account(int slot, in Accounted account)
    {
        Span<byte> key = stackalloc byte[4];
        Span<byte> value = stackalloc byte[Accounted.Size];
        BinaryPrimitives.WriteInt32LittleEndian(key, slot);
        MemoryMarshal.Write(value, account);
        _maps.Accounts.Update(key, value);
    }

    /// <summary>Changes lost since the ring was created.</summary>
    public Losses ReadLosses(int slot)
    {
        Span<byte> key = stackalloc byte[4];
        Span<byte> value = stackalloc byte[Losses.Size];
        BinaryPrimitives.WriteInt32LittleEndian(key, slot);
        _maps.Losses.Lookup(key, value);
        return MemoryMarshal.Read<Losses>(value);
    }

    /// <summary>
    /// By map type, changes that may have been missed because the kernel skipped the hook, since it was attached. Never too low.
    /// </summary>
    public IReadOnlyDictionary<MapType, ulong> ReadSkips() => _skips.Read();

    /// <summary>The changes of a map of this type that the probe cannot see, in sentences.</summary>
    public IReadOnlyList<string> Unseen(MapType type) => Coverage.Unseen(Probe, type, Hooks);

    /// <summary>
    /// Why the hook no longer records, or no longer only for this process, a sentence; null: it records. No other process can reach a hook
    /// that is not pinned.
    /// </summary>
    public string? FindFault()
    {
        if (_pins is null)
            return null;
        return _pins.FindFault()
            ?? (Ring.IsReleasedElsewhere ? "Another process reads the same ring, and has released records that this process had not read." : null);
    }

    /// <summary>Removes the pins of a hook, whichever process uses it: nothing is recorded any more.</summary>
    /// <returns>The removed pins.</returns>
    public static IReadOnlyList<string> Detach(string pinFolder) => HookAttacher.Unpin(pinFolder);

    /// <summary>Removes a folder's notes about committed versions: they belong to another log.</summary>
    public static void ForgetHeads(string pinFolder) => Bpffs.Unpin(Path.Combine(pinFolder, CommittedHeads.Pin));

    /// <summary>Removes only the pins of a hook's programs: nothing is recorded any more, and the ring stays.</summary>
    public static void DetachPrograms(string pinFolder) => HookAttacher.UnpinLinks(pinFolder);

    /// <summary>Stops recording, if the hook is not pinned; the ring stays readable.</summary>
    public void Unhook()
    {
        foreach (var link in _links)
            link.Dispose();
    }

    public void Dispose()
    {
        Ring.Dispose();
        Unhook();
        _maps.Dispose();
    }

    // 0: none yet, the hook has seen no operation on the map.
    private uint VerdictOf(uint mapId)
    {
        Span<byte> key = stackalloc byte[4];
        Span<byte> value = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(key, mapId);
        return (mapId < VerdictsInArray ? _maps.Verdicts : _maps.Beyond).Lookup(key, value) ? BinaryPrimitives.ReadUInt32LittleEndian(value) : 0;
    }

    private void SetVerdict(uint mapId, uint verdict)
    {
        Span<byte> key = stackalloc byte[4];
        Span<byte> value = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(key, mapId);
        BinaryPrimitives.WriteUInt32LittleEndian(value, verdict);
        if (mapId < VerdictsInArray)
            _maps.Verdicts.Update(key, value);
        else if (_maps.Beyond.TryUpdate(key, value) is var errno and not (0 or Errno.E2big))
            throw new KernelException($"Cannot write the verdict of map {mapId} for the hook: the kernel refused it.", errno);
        // E2BIG: without a verdict the hook compares the map's name at each operation, until the next search has made room.
    }
}
