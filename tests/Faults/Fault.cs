namespace Maplog.Tests.Faults;

/// <summary>Something that goes wrong while the maps change.</summary>
/// <param name="Name">What, as the figures name it.</param>
/// <param name="InjectAsync">Makes it happen, and what an operator would do about it.</param>
/// <param name="Gaps">The reasons of the gaps that it may bring about; without one, each change must be one event.</param>
internal sealed record Fault(string Name, Func<World, Task> InjectAsync, params string[] Gaps)
{
    /// <summary>The source is handed to another node: what a data plane writes meanwhile into the map it leaves is nobody's history.</summary>
    public bool HandsOver { get; init; }

    public override string ToString() => Name;
}
