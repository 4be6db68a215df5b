using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;

namespace Maplog.Tests.Integration.Cli;

/// <summary>A log of its own, made by the command itself, with the source lb-1; and one stream that a test fills.</summary>
internal sealed class CommandLog : IAsyncDisposable
{
    public static readonly DateTimeOffset Time = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly LogStore _store;
    private readonly EventBatch _batch = new();
    private readonly StreamHandle _stream = new(StreamName.Parse("lb-1/ct_map"));
    private LogWriter? _writer;
    private long _version;

    public CommandLog(string connection)
    {
        Connection = connection;
        _store = new LogStore(new LogOptions { ConnectionString = connection });
    }

    public string Connection { get; }

    public static async Task<CommandLog> MakeAsync(TestPostgres postgres)
    {
        var log = new CommandLog(await postgres.CreateDatabaseAsync("cli"));
        Xunit.Assert.Equal(0, (await log.RunAsync("migrate")).Code);
        Xunit.Assert.Equal(0, (await log.RunAsync("source", "add", "lb-1")).Code);
        return log;
    }

    public static MapOpened Map(MapShape shape, byte[]? btf = null, uint keyType = 0, uint valueType = 0) => new(
        1, 42, "6f1c5a0e-0000-4000-8000-000000000001", "ct_map", shape, btf, keyType, valueType, "fentry", ["writes through a looked-up pointer"], "node-a");

    /// <summary>Runs the command on this log.</summary>
    public Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.OfAsync([.. arguments, "--log", Connection]);

    public void Note(object note)
    {
        _version++;
        _batch.AddNote(_stream, new StreamVersion(_version), Time.AddSeconds(_version), note);
    }

    public void Change(EventKind kind, byte[] key, params byte[] value)
    {
        _version++;
        var header = new ChangeHeader { Origin = Origin.Program, Cpu = 3, Tgid = 4711, Epoch = new Epoch(1), KernelTime = 1_000_000 + _version, RingPosition = _version * 64 };
        var comm = "bpftool"u8;
        var payload = _batch.AddChange(_stream, new StreamVersion(_version), Time.AddSeconds(_version), kind, ChangePayload.Size(comm.Length, key.Length, value.Length));
        ChangePayload.Write(payload, header, comm, key, value);
    }

    /// <summary>Appends what was added since the last time.</summary>
    public async Task CommitAsync()
    {
        _writer ??= await LogWriter.OpenAsync(_store, "lb-1");
        await _writer.AppendAsync(_batch);
        _batch.Clear();
    }

    /// <summary>One value that the log's Postgres says, with the rights of its owner.</summary>
    public async Task<object?> QueryAsync(string sql)
    {
        await using var command = _store.Database.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    public ValueTask DisposeAsync()
    {
        _batch.Dispose();
        return _store.DisposeAsync();
    }
}
