using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>
/// A capture's claim on its folder of pins: the folder's lock, which the kernel releases when the process ends, and a signature in a map
/// pinned there. The lock says that a capture runs. The signature says which capture, and to which log the hook's records belong, also
/// after the process has ended.
/// </summary>
/// <param name="folder">The pins of one source, on a BPF file system.</param>
public sealed class HookClaim(string folder) : IDisposable
{
    /// <summary>The name of the signature's pin.</summary>
    internal const string Pin = "owner";

    private readonly Lock _gate = new();
    private readonly byte[] _bytes = new byte[HookOwner.Size];
    private readonly Guid _claim = Guid.NewGuid();
    private readonly string _pin = Path.Combine(folder, Pin);
    private FolderLock? _lock;
    private BpfMap? _signature;
    private PinPlace? _signaturePin;
    private HookOwner? _signed;

    public string Folder => folder;

    /// <summary>Whether a hook is pinned in the folder.</summary>
    public bool HoldsHook => HookMaps.IsAnyPinned(folder);

    /// <summary>Whether this process may remove the pins of the folder: it has the lock, and no other capture has signed.</summary>
    public bool MayUnpin
    {
        get
        {
            lock (_gate)
                return IsHeld && (ReadOwner(folder) is not { } owner || owner.Claim == _claim);
        }
    }

    private bool IsHeld => _lock is not null && _lock.IsOf(folder);

    /// <summary>The capture that has the lock on a folder of pins, in words.</summary>
    public static string DescribeHolder(string folder)
    {
        var visible = FolderLock.HolderOf(folder);
        if (ReadOwner(folder) is { } owner)
            return owner.Describe(visible);
        return visible is { } process ? $"process {process}" : "a process in another container";
    }

    /// <summary>The capture that signed last in a folder of pins; null: none did.</summary>
    public static HookOwner? ReadOwner(string folder)
    {
        using var signature = TryOpen(Path.Combine(folder, Pin));
        var bytes = new byte[HookOwner.Size];
        return signature is not null && signature.Lookup(stackalloc byte[sizeof(int)], bytes) ? HookOwner.Read(bytes) : null;
    }

    /// <summary>Takes the lock, if it is free, or keeps it.</summary>
    /// <returns>Whether this process has the lock.</returns>
    public bool TryHold()
    {
        lock (_gate)
        {
            if (IsHeld)
                return true;
            LetGo();
            Bpffs.EnsureMounted(folder);
            try
            {
                _lock = FolderLock.TryTake(folder);
            }
            catch (KernelException e) when (e.Errno == Errno.Enoent)
            {
                // Removed at this moment.
            }
            return _lock is not null;
        }
    }

    /// <summary>Releases the lock, for another capture of this node.</summary>
    public void LetGo()
    {
        lock (_gate)
        {
            _lock?.Dispose();
            _lock = null;
        }
    }

    /// <summary>Signs: from now on the hook's records belong to this log, and this process reads them.</summary>
    /// <param name="log">The log's identity.</param>
    /// <param name="place">The readable name of the log.</param>
    /// <param name="node">This host.</param>
    /// <param name="epoch">The term that begins.</param>
    public void Sign(Guid log, string place, string node, int epoch)
    {
        lock (_gate)
        {
            _signed = new HookOwner(log, _claim, Environment.ProcessId, epoch, HookOwner.OwnPidNamespace, Boot.Now(), node, place);
            _signature?.Dispose();
            _signature = TryOpen(_pin);
            var isNew = _signature is null;
            _signature ??= BpfMap.Create("maplog_owner", MapType.Array, sizeof(int), HookOwner.Size, 1);
            Write(_signed);
            if (isNew)
                _signature.Pin(_pin, replace: true);
            _signaturePin = PinPlace.Of(_pin);
        }
    }

    /// <summary>Notes next to the hook that this process runs, if it signed last; takes the lock if it is free.</summary>
    public void Stamp()
    {
        lock (_gate)
        {
            if (_signed is null || FindFault() is not null)
                return;
            Write(_signed = _signed with { AliveAt = Boot.Now() });
            TryHold();
        }
    }

    /// <summary>Why the folder's hook no longer belongs to this process, a sentence; null: it does.</summary>
    public string? FindFault()
    {
        lock (_gate)
        {
            if (_lock is not null && !_lock.IsOf(folder) || _signed is not null && PinPlace.Of(_pin) != _signaturePin)
                return $"The pins in {folder} were removed or replaced.";
            if (_signature is null || !_signature.Lookup(stackalloc byte[sizeof(int)], _bytes))
                return null;
            var owner = HookOwner.Read(_bytes);
            return owner.Claim == _claim
                ? null
                : $"The hook in {folder} was taken over by {owner.Describe(FolderLock.HolderOf(folder))}, for the log {owner.Place}.";
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _signature?.Dispose();
            (_signature, _signed) = (null, null);
            LetGo();
        }
    }

    private static BpfMap? TryOpen(string pin)
    {
        try
        {
            return File.Exists(pin) ? BpfMap.OpenPinned(pin) : null;
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            return null;
        }
    }

    private void Write(HookOwner owner)
    {
        owner.Write(_bytes);
        _signature!.Update(stackalloc byte[sizeof(int)], _bytes);
    }
}
