namespace Maplog.Servers;

/// <summary>Debian's pgbouncer before a private Postgres, with the settings that the daemons need: a session for each session.</summary>
/// <param name="postgres">The server; its port and password must be known, so it must have been started once.</param>
public sealed class PrivatePgBouncer(PrivatePostgres postgres) : PrivateServer("pgbouncer", postgres.Address)
{
    private const string Program = "/usr/sbin/pgbouncer";

    /// <summary>The same connection, but through the pooler.</summary>
    public string Before(string connection) => new Npgsql.NpgsqlConnectionStringBuilder(connection) { Port = Port }.ConnectionString;

    // At once; SIGINT would wait until every session is idle.
    private protected override int StopSignal => Native.SIGTERM;

    private string Settings => Path.Combine(Folder.Path, "pgbouncer.ini");

    private protected override void Locate()
    {
        if (!File.Exists(Program))
            throw new MissingServerException($"There is no {Program}: install Debian's package pgbouncer (apt-get install pgbouncer).");
    }

    private protected override async Task PrepareAsync()
    {
        Port = FreePorts.Take(Address, 1)[0];
        var users = Path.Combine(Folder.Path, "users");
        await File.WriteAllTextAsync(users, $"\"{postgres.User}\" \"{postgres.Password}\"\n");
        await File.WriteAllTextAsync(Settings, $"""
            [databases]
            * = host={postgres.Address} port={postgres.Port}
            [pgbouncer]
            listen_addr = {Address}
            listen_port = {Port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = {users}
            pool_mode = session
            ignore_startup_parameters = options
            server_login_retry = 2
            client_login_timeout = 5
            query_wait_timeout = 5

            """);
    }

    // It refuses to run as root.
    private protected override ServerProcess Launch(string log) => ServerProcess.Start(
        Folder, log, Native.EffectiveUser() == 0 ? [Program, "-u", "postgres", Settings] : [Program, Settings], new Dictionary<string, string>());

    // It answers before its server does.
    private protected override Task<bool> AnswersAsync() => Task.FromResult(true);
}
