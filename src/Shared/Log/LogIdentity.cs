namespace Maplog.Log;

/// <summary>Which log it is, wherever it is.</summary>
/// <param name="Id">Random, made with the schema: a restored, renamed or failed-over log keeps it.</param>
/// <param name="Place">Where it is now, as a person names it.</param>
public sealed record LogIdentity(Guid Id, string Place)
{
    public override string ToString() => Place;
}
