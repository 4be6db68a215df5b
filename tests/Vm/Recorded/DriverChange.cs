namespace Maplog.Tests.Recorded;

/// <summary>A line of mapdriver's changes.txt: a change that succeeded.</summary>
/// <param name="Op">add, update, delete; put: add or update.</param>
/// <param name="Key">In hex.</param>
/// <param name="Value">In hex; empty if deleted.</param>
/// <param name="Way">WRITER.CALL</param>
public sealed record DriverChange(string Op, string Key, string Value, string Way)
{
    public string Writer => Way.Split('.')[0];
}
