namespace Maplog.Hooking;

/// <summary>The state of one hook.</summary>
/// <param name="Function">The kernel function, or <c>bpf(2)</c> for the tracepoint.</param>
/// <param name="Failure">Why it is not attached; null: it is.</param>
public sealed record HookState(string Function, string? Failure)
{
    public bool IsAttached => Failure is null;
}
