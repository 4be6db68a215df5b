using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Tests.Integration.Log;

namespace Maplog.Tests.Integration.Replicating;

/// <summary>A log with one source's map, and a folder for the pins of its replicas.</summary>
internal sealed class ReplicatorWorld : IAsyncDisposable
{
    private readonly string _folder = $"{Bpffs.Root}/maplog_test_{Guid.NewGuid():N}";

    private ReplicatorWorld(LogDatabase log, LogWriter writer)
    {
        Log = log;
        Writer = writer;
        Source = new SourceMap(writer, "lb-1/ct_map", Shape);
        Bpffs.EnsureMounted(_folder);
    }

    public static MapShape Shape { get; } = new((int)MapType.Hash, 24, 64, 5000, 0, 0);

    public LogDatabase Log { get; }

    /// <summary>Of the source, for other maps of it.</summary>
    public LogWriter Writer { get; }

    public SourceMap Source { get; }

    public string Pin => PinOf("replica");

    public string Registry => Path.Combine(_folder, "registry");

    public static async Task<ReplicatorWorld> MakeAsync(TestPostgres postgres) => await MakeAsync(await LogDatabase.MigratedAsync(postgres));

    public static async Task<ReplicatorWorld> MakeAsync(LogDatabase log)
    {
        return new ReplicatorWorld(log, await LogWriter.OpenAsync(log.Store, "lb-1"));
    }

    public string PinOf(string replica) => Path.Combine(_folder, replica);

    public ReplicatorProcess Start(params string[] more) => StartAt(Pin, more);

    public ReplicatorProcess StartAt(string pin, params string[] more) => ReplicatorProcess.Start(
        ["--source", "lb-1", "--map", "ct_map", "--pin", pin, "--registry", Registry, "--log", Log.Options.ConnectionString, .. more]);

    public Task EqualAsync(ReplicatorProcess replicator) =>
        Wait.UntilAsync(() => Source.Equals(Pin), TimeSpan.FromSeconds(60), () => $"The replica did not become equal to the stream at {Source.Head}. {replicator.Output}");

    public async ValueTask DisposeAsync()
    {
        Source.Dispose();
        await Log.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
