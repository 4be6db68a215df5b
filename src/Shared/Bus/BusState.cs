namespace Maplog.Bus;

/// <summary>What is wrong with a connection or a queue, told when that is news: when it begins, when it is over, and when an absence turns into a refusal or back.</summary>
/// <param name="told">Called with what went wrong, or null when all is well.</param>
/// <param name="failure">What is known at first; null: nothing is wrong.</param>
internal sealed class BusState(Action<BusFailure?> told, BusFailure? failure = null)
{
    private volatile BusFailure? _failure = failure;

    /// <summary>What is wrong with what was never tried.</summary>
    public static BusFailure NotConnected { get; } = new("Not connected yet.", false, null);

    /// <summary>What went wrong, or null while all is well.</summary>
    public BusFailure? Failure => _failure;

    public void Change(BusFailure? failure)
    {
        var isNews = _failure is null || failure is null || _failure.IsRefusal != failure.IsRefusal;
        _failure = failure;
        if (isNews)
            told(failure);
    }
}
