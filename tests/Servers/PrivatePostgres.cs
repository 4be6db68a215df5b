using System.Security.Cryptography;
using Npgsql;

namespace Maplog.Servers;

/// <summary>Debian's own Postgres, the newest installed, with an empty cluster and the superuser <c>maplog</c>.</summary>
public sealed class PrivatePostgres : PrivateServer
{
    private readonly IReadOnlyDictionary<string, string> _settings;
    private readonly string _versions;
    private readonly long? _room;
    private readonly PrivatePostgres? _primary;
    private string _programs = "";

    /// <param name="address">IP address to listen on.</param>
    /// <param name="settings">Settings of postgresql.conf beyond ours.</param>
    /// <param name="versions">The folder with one folder per installed version.</param>
    /// <param name="room">Bytes that its data may take, on a file system of its own, in memory; for root. Null: what the disk has.</param>
    public PrivatePostgres(string address = "127.0.0.1", IReadOnlyDictionary<string, string>? settings = null, string versions = "/usr/lib/postgresql", long? room = null)
        : base("postgres", address)
    {
        _settings = settings ?? new Dictionary<string, string>();
        _versions = versions;
        _room = room;
    }

    /// <summary>A standby that streams from a primary, which must run when it is started first.</summary>
    public PrivatePostgres(PrivatePostgres primary) : this() => (_primary, Password) = (primary, primary.Password);

    public string User { get; } = "maplog";

    public string Password { get; } = RandomNumberGenerator.GetHexString(20, lowercase: true);

    /// <summary>The superuser's connection to the database <c>postgres</c>.</summary>
    public string ConnectionString => ConnectionTo("postgres");

    public string ConnectionTo(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = Address,
        Port = Port,
        Username = User,
        Password = Password,
        Database = database,
    }.ConnectionString;

    /// <summary>Its data get no more room than they take: the disk is full.</summary>
    public Task LeaveNoRoomAsync()
    {
        var disk = new DriveInfo(Data);
        return ResizeAsync(disk.TotalSize - disk.TotalFreeSpace);
    }

    /// <summary>Gives its data their room back.</summary>
    public Task GiveRoomAsync() => ResizeAsync(_room ?? throw new InvalidOperationException("Its data have the disk's room."));

    /// <summary>Ends the recovery of a standby: it takes writes from then on, in a timeline of its own.</summary>
    public async Task PromoteAsync()
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await using var command = source.CreateCommand("select pg_promote()");
        await command.ExecuteScalarAsync();
    }

    private async Task ResizeAsync(long bytes) => await ServerProcess.RunAsync(Folder, ["mount", "-o", $"remount,size={bytes}", Data]);

    // Fast shutdown: open sessions are ended, everything is written.
    private protected override int StopSignal => Native.SIGINT;

    private string Data => Path.Combine(Folder.Path, "data");

    private protected override void Locate() =>
        _programs = (Directory.Exists(_versions) ? Directory.GetDirectories(_versions) : [])
            .Where(v => File.Exists($"{v}/bin/initdb") && File.Exists($"{v}/bin/postgres"))
            .OrderByDescending(v => int.TryParse(Path.GetFileName(v), out var number) ? number : 0)
            .Select(v => $"{v}/bin")
            .FirstOrDefault()
            ?? throw new MissingServerException($"There is no Postgres server under {_versions} and no Docker engine answers: install Debian's package postgresql (apt-get install postgresql), or start a Docker engine.");

    private protected override async Task PrepareAsync()
    {
        Port = FreePorts.Take(Address, 1)[0];
        var passwords = Path.Combine(Folder.Path, "password");
        await File.WriteAllTextAsync(passwords, Password);
        Directory.CreateDirectory(Data);
        if (_room is { } room)
            await ServerProcess.RunAsync(Folder, ["mount", "-t", "tmpfs", "-o", $"size={room}", "maplog-test", Data]);
        if (IsRoot)
            await ServerProcess.RunAsync(Folder, ["chown", "-R", "postgres:", Data, passwords]);
        if (_primary is not null)
            await CopyAsync(_primary);
        else
        {
            await ServerProcess.RunAsync(Folder, AsUser(
                $"{_programs}/initdb", "-D", Data, "-U", User, "--pwfile", passwords, "-A", "scram-sha-256",
                "-E", "UTF8", "--lc-collate", "C", "--lc-ctype", "C.UTF-8", "--no-sync"));
        }
        // What must survive here is a kill of the server, never of the machine: no fsync.
        // mmap: no segments of ours are left in /dev/shm by kill -9.
        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = Address,
            ["port"] = Port.ToString(),
            ["unix_socket_directories"] = Data,
            ["fsync"] = "off",
            ["dynamic_shared_memory_type"] = "mmap",
            ["max_connections"] = "200",
            ["log_timezone"] = "UTC",
            ["timezone"] = "UTC",
        };
        foreach (var (name, value) in _settings)
            settings[name] = value;
        await File.AppendAllLinesAsync(Path.Combine(Data, "postgresql.conf"), settings.Select(s => $"{s.Key} = '{s.Value}'"));
        if (Address is not ("127.0.0.1" or "::1"))
            await File.AppendAllTextAsync(Path.Combine(Data, "pg_hba.conf"), "host all all all scram-sha-256\n");
    }

    private async Task CopyAsync(PrivatePostgres primary)
    {
        // A folder that others may read is none for a server.
        await ServerProcess.RunAsync(Folder, AsUser("chmod", "700", Data));
        await ServerProcess.RunAsync(
            Folder, AsUser($"{_programs}/pg_basebackup", "-D", Data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-h", primary.Address, "-p", $"{primary.Port}", "-U", primary.User),
            new Dictionary<string, string> { ["PGPASSWORD"] = primary.Password });
    }

    private protected override ServerProcess Launch(string log) =>
        ServerProcess.Start(Folder, log, AsUser($"{_programs}/postgres", "-D", Data), new Dictionary<string, string>());

    private protected override async Task<bool> AnswersAsync()
    {
        try
        {
            await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
            await using var command = source.CreateCommand("select 1");
            await command.ExecuteScalarAsync();
            return true;
        }
        catch (NpgsqlException)
        {
            return false; // Starting up, or recovering what a kill left behind.
        }
    }

    // Postgres refuses to run as root. setpriv and not runuser: it becomes the server, runuser would stand between us and it.
    private static string[] AsUser(params string[] command) =>
        IsRoot ? ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--", .. command] : command;

    private static bool IsRoot => Native.EffectiveUser() == 0;
}
