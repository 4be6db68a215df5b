namespace Maplog.Demo;

/// <summary>What has been done to this machine and has to be undone, the last first, whatever happens.</summary>
internal sealed class Undo : IAsyncDisposable
{
    private readonly Stack<(string What, Func<ValueTask> Step)> _steps = new();

    public void Add(string what, Func<ValueTask> step) => _steps.Push((what, step));

    public void Add(string what, Action step) => Add(what, () =>
    {
        step();
        return ValueTask.CompletedTask;
    });

    public async ValueTask DisposeAsync()
    {
        while (_steps.TryPop(out var undo))
        {
            try
            {
                await undo.Step();
            }
            catch (Exception e)
            {
                // One that fails must not keep the others from being undone.
                Console.Error.WriteLine($"demo: {undo.What} failed: {e.Message}");
            }
        }
    }
}
