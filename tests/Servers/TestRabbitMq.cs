using Testcontainers.RabbitMq;

namespace Maplog.Servers;

/// <summary>
/// The RabbitMQ that tests share: a container where a Docker engine answers, else Debian's own server. It starts when it is first
/// asked for something. Share one per test assembly, and take a new virtual host per test class.
/// </summary>
public class TestRabbitMq : IAsyncDisposable
{
    private const string Image = "rabbitmq:3.13";
    private const string ContainerUser = "maplog";
    private const string ContainerPassword = "maplog";
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private PrivateRabbitMq? _private;
    private RabbitMqContainer? _container;
    private int _hosts;

    /// <summary>The administrator's AMQP URI of the virtual host <c>/</c>; known once it runs.</summary>
    public Uri Uri => UriOf("/");

    public string User => _private?.User ?? ContainerUser;

    public async Task StartAsync()
    {
        await _oneAtATime.WaitAsync();
        try
        {
            if (_private is null && _container is null)
            {
                if (await DockerEngine.AnswersAsync())
                    // A fixed port, so that it is the same after a restart.
                    _container = new RabbitMqBuilder(Image).WithUsername(ContainerUser).WithPassword(ContainerPassword)
                        .WithPortBinding(FreePorts.Take("127.0.0.1", 1)[0], RabbitMqBuilder.RabbitMqPort).Build();
                else
                    _private = new PrivateRabbitMq();
            }
            await (_private?.StartAsync() ?? _container!.StartAsync());
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public Task StopAsync() => _private?.StopAsync() ?? _container?.StopAsync() ?? Task.CompletedTask;

    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>kill -9.</summary>
    public Task KillAsync() => _private?.KillAsync() ?? (_container is null ? Task.CompletedTask : DockerEngine.KillAsync(_container));

    /// <summary>The administrator's AMQP URI of a virtual host.</summary>
    public Uri UriOf(string virtualHost)
    {
        if (_private is not null)
            return _private.UriOf(virtualHost);
        if (_container is null)
            throw new InvalidOperationException("The test RabbitMQ has not been started yet: call StartAsync first.");
        return new UriBuilder(_container.GetConnectionString()) { Path = "/" + Uri.EscapeDataString(virtualHost) }.Uri;
    }

    /// <summary>Makes an empty virtual host which the administrator may use, starting the server if need be; takes a few seconds.</summary>
    /// <param name="name">Begin of its name; a number follows.</param>
    /// <returns>The administrator's AMQP URI of it.</returns>
    public async Task<Uri> CreateVirtualHostAsync(string name = "test")
    {
        await StartAsync();
        var host = $"{name}-{Interlocked.Increment(ref _hosts)}";
        await ControlAsync("add_vhost", host);
        await ControlAsync("set_permissions", "-p", host, User, ".*", ".*", ".*");
        return UriOf(host);
    }

    /// <summary>Makes a user without any permission.</summary>
    public Task CreateUserAsync(string name, string password) => ControlAsync("add_user", name, password);

    /// <summary>Runs rabbitmqctl.</summary>
    /// <returns>What it wrote.</returns>
    public async Task<string> ControlAsync(params string[] arguments)
    {
        await StartAsync();
        if (_private is not null)
            return await _private.ControlAsync(arguments);
        var result = await _container!.ExecAsync(["rabbitmqctl", "--quiet", .. arguments]);
        return result.ExitCode == 0
            ? result.Stdout
            : throw new InvalidOperationException($"'rabbitmqctl {string.Join(' ', arguments)}' ended with {result.ExitCode}: {result.Stdout}{result.Stderr}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_private is not null)
            await _private.DisposeAsync();
        if (_container is not null)
            await _container.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
