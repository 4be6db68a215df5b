using JasperFx;
using JasperFx.Events;
using JasperFx.MultiTenancy;
using Maplog.Events;
using Marten;
using Marten.Events;
using Npgsql;
using Weasel.Core;

namespace Maplog.Log;

/// <summary>The log: a Marten event store in one Postgres database. A stream is a map of a source, a source is a tenant.</summary>
public sealed class LogStore : IAsyncDisposable
{
    // Npgsql's own 8 KiB are a system call for every thirty changes, on both sides.
    private const int SocketBuffer = 128 * 1024;

    private const int StatementsOfCommit = 16;

    private static readonly TimeSpan LongestWrite = TimeSpan.FromMinutes(10);

    // Who only reads does not need it, and starts the sooner.
    private readonly Lazy<DocumentStore> _marten;
    private readonly NpgsqlDataSource _writes;
    private readonly PrimaryCheck? _primary;
    private TimeSpan _writeWithin;

    /// <param name="options">Where the log is.</param>
    /// <param name="passwordNow">
    /// Gives the password as the settings have it at the moment; it is asked for each session that begins, so that a daemon needs no
    /// restart when the password is changed. Null, or where it gives null: that of the options, or what PGPASSWORD and PGPASSFILE have.
    /// </param>
    /// <exception cref="System.ComponentModel.DataAnnotations.ValidationException">A setting is wrong.</exception>
    public LogStore(LogOptions options, Func<string?>? passwordNow = null)
    {
        options.ThrowIfInvalid();
        Schema = options.Schema;
        var connection = new NpgsqlConnectionStringBuilder(options.ConnectionString);
        connection.CommandTimeout = (int)options.CommandTimeout.TotalSeconds;
        connection.ApplicationName ??= "maplog";
        // What is asked is short and of large tables: where their statistics are old, Postgres compiles for longer than it then works.
        connection.Options ??= "-c jit=off";
        connection.WriteBufferSize = Math.Max(connection.WriteBufferSize, SocketBuffer);
        connection.ReadBufferSize = Math.Max(connection.ReadBufferSize, SocketBuffer);
        Place = PlaceOf(connection);
        var password = connection.Password;
        Func<string>? current = passwordNow is null || string.IsNullOrEmpty(password) ? null : () => passwordNow() ?? password;
        // Npgsql takes a password or somebody to ask for it. Without either it looks into PGPASSFILE, for each session anew.
        if (current is not null)
            connection.Password = null;
        Database = Builder(connection, current).Build();
        // Each commit makes the same few statements: Postgres need not plan them anew.
        connection.MaxAutoPrepare = Math.Max(connection.MaxAutoPrepare, StatementsOfCommit);
        connection.NoResetOnClose = true; // else the statement's time goes back to the server's own
        _writeWithin = options.CommandTimeout;
        var writes = Builder(connection, current);
        writes.UsePhysicalConnectionInitializer(
            session =>
            {
                using var limit = LimitOf(session);
                limit.ExecuteNonQuery();
            },
            async session =>
            {
                await using var limit = LimitOf(session);
                await limit.ExecuteNonQueryAsync();
            });
        _writes = writes.Build();
        _marten = new Lazy<DocumentStore>(() => new DocumentStore(Configure(_writes, options)));
    }

    /// <summary>
    /// Whether a reader's session must lead to the server that takes the writes, as for a daemon, which acts by what it reads. A session
    /// that leads to another is given up, and reading fails until there is a better one.
    /// </summary>
    public bool NeedsPrimary
    {
        get => _primary is not null;
        init => _primary = value ? new PrimaryCheck(Place) : null;
    }

    /// <summary>Connections to the log's database.</summary>
    public NpgsqlDataSource Database { get; }

    /// <summary>The same log through Marten, for whoever wants its projections or subscriptions.</summary>
    public IDocumentStore Marten => _marten.Value;

    /// <summary>The schema of the log.</summary>
    public string Schema { get; }

    /// <summary>The schema of the views for auditors: <c>audit</c>, or <c>NAME_audit</c> for a log in a schema of another name.</summary>
    public string AuditSchema => Migrations.AuditSchema(Schema);

    /// <summary>The database as a person names it, without its secrets: "maplog on db:5432".</summary>
    public string Place { get; }

    /// <summary>The same with the schema, which tells two logs of a database apart: "maplog on db:5432, schema maplog".</summary>
    public string FullPlace => $"{Place}, schema {Schema}";

    /// <summary>What Marten has to know to read and write this log. Use it in a program of your own to open the log with Marten alone.</summary>
    public static void ConfigureMarten(StoreOptions marten, string schema)
    {
        marten.DatabaseSchemaName = schema;
        // Migrations make the schema (LogSchema); a daemon that starts never changes it.
        marten.AutoCreateSchemaObjects = AutoCreate.None;
        marten.UseSystemTextJsonForSerialization(NoteCodec.Options, casing: Casing.CamelCase);

        var events = marten.Events;
        events.DatabaseSchemaName = schema;
        events.StreamIdentity = StreamIdentity.AsString;
        events.TenancyStyle = TenancyStyle.Conjoined;
        events.AppendMode = EventAppendMode.Quick;
        events.UseTenantPartitionedEvents = true;
        events.EnableBigIntEvents = true;
        events.DefaultBinarySerializer = new ChangeSerializer();
        // Ours (migrations/), which Marten would otherwise drop when it adds a source.
        events.IgnoreIndex("maplog_events_time");
        events.IgnoreIndex("maplog_notes");
        events.IgnoreIndex("pk_mt_events_stream_and_version");
        foreach (var (_, type, name, letter) in EventNames.Everything)
        {
            events.MapEventType(type, name);
            ((EventGraph)events).EventMappingFor(type).DotNetTypeName = letter;
        }
    }

    /// <summary>Opens a session for reading.</summary>
    /// <exception cref="LogException">It leads to a server that is not the primary, and the log's reader needs that.</exception>
    internal async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellation)
    {
        var session = await Database.OpenConnectionAsync(cancellation);
        if (_primary is null)
            return session;
        try
        {
            await _primary.CheckAsync(session, cancellation);
            return session;
        }
        catch (Exception e)
        {
            await session.DisposeAsync();
            if (e is LogException)
                RenewSessions();
            throw;
        }
    }

    /// <summary>Sessions that begin from now on reach the server that the address leads to now, and know nothing of what was prepared before.</summary>
    public void RenewSessions()
    {
        Database.Clear();
        _writes.Clear();
    }

    /// <summary>A commit did not fit into the time that a statement of a writer may take: its way is slow, or it is large. The next try may take twice as long, up to ten minutes.</summary>
    internal void GiveWritesLonger()
    {
        if (_writeWithin < LongestWrite)
            _writeWithin *= 2;
        _writes.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        if (_marten.IsValueCreated)
            await _marten.Value.DisposeAsync();
        await _writes.DisposeAsync();
        await Database.DisposeAsync();
    }

    // A writer that hangs in the middle of a commit - its host stands still, its network is cut - must not hold up its successor,
    // whose first event has the version that the other has begun to write. Not as a startup parameter: poolers drop those.
    private NpgsqlCommand LimitOf(NpgsqlConnection session) => new(
        $"set statement_timeout = {(long)_writeWithin.TotalMilliseconds}; set idle_in_transaction_session_timeout = {(int)WriterLease.Term.TotalMilliseconds}", session);

    private static NpgsqlDataSourceBuilder Builder(NpgsqlConnectionStringBuilder connection, Func<string>? password)
    {
        var builder = new NpgsqlDataSourceBuilder(connection.ConnectionString);
        if (password is not null)
            builder.UsePasswordProvider(_ => password(), (_, _) => ValueTask.FromResult(password()));
        return builder;
    }

    // Of several hosts each may have a port of its own.
    private static string PlaceOf(NpgsqlConnectionStringBuilder connection) =>
        $"{connection.Database ?? connection.Username} on {string.Join(", ", connection.Host!.Split(',', StringSplitOptions.TrimEntries).Select(h => HasPort(h) ? h : $"{h}:{connection.Port}"))}";

    private static bool HasPort(string host) => host.IndexOf(':', StringComparison.Ordinal) is >= 0 and var first && (first == host.LastIndexOf(':') || host.Contains("]:", StringComparison.Ordinal));

    private static StoreOptions Configure(NpgsqlDataSource database, LogOptions options)
    {
        var marten = new StoreOptions();
        marten.Connection(database);
        ConfigureMarten(marten, options.Schema);
        return marten;
    }
}
