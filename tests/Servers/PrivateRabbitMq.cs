using System.Security.Cryptography;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Maplog.Servers;

/// <summary>Debian's own RabbitMQ, an empty node with the administrator <c>maplog</c> and no plugins.</summary>
public sealed class PrivateRabbitMq : PrivateServer
{
    private readonly string _programs;
    private int _distributionPort;
    private int _epmdPort;

    /// <param name="address">IP address to listen on.</param>
    /// <param name="programs">The folder of the server's own scripts. Those in /usr/sbin change the user and drop the environment.</param>
    public PrivateRabbitMq(string address = "127.0.0.1", string programs = "/usr/lib/rabbitmq/bin")
        : base("rabbitmq", address) => _programs = programs;

    public string User { get; } = "maplog";

    public string Password { get; } = RandomNumberGenerator.GetHexString(20, lowercase: true);

    /// <summary>The administrator's AMQP URI of the virtual host <c>/</c>.</summary>
    public Uri Uri => UriOf("/");

    public Uri UriOf(string virtualHost) => UriOf(virtualHost, User, Password);

    public Uri UriOf(string virtualHost, string user, string password) =>
        new($"amqp://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password)}@{Address}:{Port}/{Uri.EscapeDataString(virtualHost)}");

    /// <summary>Runs rabbitmqctl against this node; it takes a second or two.</summary>
    /// <returns>What it wrote.</returns>
    public async Task<string> ControlAsync(params string[] arguments)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await ServerProcess.RunAsync(Folder, [$"{_programs}/rabbitmqctl", "--quiet", .. arguments], Settings);
            }
            catch (InvalidOperationException e) when (tries < 60 && e.Message.Contains("requires the 'rabbit' app to be running", StringComparison.Ordinal))
            {
                // RabbitMQ listens shortly before it has started as a whole.
                await Task.Delay(500);
            }
        }
    }

    // The script's trap passes it on to the Erlang VM.
    private protected override int StopSignal => Native.SIGTERM;

    private Dictionary<string, string> Settings => new()
    {
        ["HOME"] = Folder.Path, // the Erlang cookie
        ["RABBITMQ_CONF_ENV_FILE"] = "/dev/null",
        ["RABBITMQ_NODENAME"] = $"maplog{Port}@localhost",
        ["RABBITMQ_NODE_IP_ADDRESS"] = Address,
        ["RABBITMQ_NODE_PORT"] = Port.ToString(),
        ["RABBITMQ_DIST_PORT"] = _distributionPort.ToString(),
        ["ERL_EPMD_PORT"] = _epmdPort.ToString(),
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_MNESIA_BASE"] = Path.Combine(Folder.Path, "data"),
        ["RABBITMQ_LOG_BASE"] = Path.Combine(Folder.Path, "log"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(Folder.Path, "plugins"),
        ["RABBITMQ_CONFIG_FILE"] = Path.Combine(Folder.Path, "rabbitmq.conf"),
        ["RABBITMQ_PID_FILE"] = Path.Combine(Folder.Path, "pid"),
        // No busy waiting: two cores are shared with what is under test.
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = $"+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {{{"127,0,0,1"}}}",
    };

    private protected override void Locate()
    {
        if (!File.Exists($"{_programs}/rabbitmq-server"))
            throw new MissingServerException($"There is no RabbitMQ server in {_programs} and no Docker engine answers: install Debian's package rabbitmq-server (apt-get install rabbitmq-server), or start a Docker engine.");
    }

    private protected override async Task PrepareAsync()
    {
        (Port, _distributionPort, _epmdPort) = FreePorts.Take(Address, 3) switch { var p => (p[0], p[1], p[2]) };
        await File.WriteAllTextAsync(Path.Combine(Folder.Path, "plugins"), "[].\n");
        await File.WriteAllTextAsync(Path.Combine(Folder.Path, "rabbitmq.conf"), $"""
            loopback_users = none
            default_user = {User}
            default_pass = {Password}
            disk_free_limit.absolute = 50MB
            log.console = true
            log.file = false

            """);
    }

    private protected override ServerProcess Launch(string log) =>
        ServerProcess.Start(Folder, log, [$"{_programs}/rabbitmq-server"], Settings);

    private protected override async Task<bool> AnswersAsync()
    {
        try
        {
            await using var connection = await new ConnectionFactory { Uri = Uri, RequestedConnectionTimeout = TimeSpan.FromSeconds(5) }.CreateConnectionAsync();
            await using var channel = await connection.CreateChannelAsync();
            return true;
        }
        catch (Exception e) when (e is BrokerUnreachableException or OperationInterruptedException or AlreadyClosedException)
        {
            return false;
        }
    }
}
