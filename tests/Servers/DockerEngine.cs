using System.Net.Sockets;
using System.Text;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;

namespace Maplog.Servers;

/// <summary>Whether containers can be had here. <c>MAPLOG_TEST_SERVERS</c> = <c>docker</c> or <c>private</c> decides without asking.</summary>
internal static class DockerEngine
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly Lazy<Task<bool>> Answer = new(AskAsync);

    /// <summary>True if a Docker engine answers a ping on its socket; asked once.</summary>
    public static Task<bool> AnswersAsync() => Answer.Value;

    /// <summary>SIGKILL, not the orderly stop that Testcontainers offers.</summary>
    public static async Task KillAsync(IContainer container)
    {
        using var client = TestcontainersSettings.OS.DockerEndpointAuthConfig.GetDockerClientBuilder(Guid.Empty).Build();
        await client.Containers.KillContainerAsync(container.Id, new ContainerKillParameters { Signal = "SIGKILL" });
    }

    private static async Task<bool> AskAsync()
    {
        switch (Environment.GetEnvironmentVariable("MAPLOG_TEST_SERVERS"))
        {
            case "docker": return true;
            case "private": return false;
        }
        var host = new Uri(Environment.GetEnvironmentVariable("DOCKER_HOST") ?? "unix:///var/run/docker.sock");
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            using var socket = host.Scheme == "unix" ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(SocketType.Stream, ProtocolType.Tcp);
            await (host.Scheme == "unix"
                ? socket.ConnectAsync(new UnixDomainSocketEndPoint(host.AbsolutePath), limit.Token)
                : socket.ConnectAsync(host.Host, host.Port, limit.Token));
            await socket.SendAsync("GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"u8.ToArray(), limit.Token);
            var answer = new byte[64];
            var read = await socket.ReceiveAsync(answer, limit.Token);
            return Encoding.ASCII.GetString(answer, 0, read).Contains(" 200 ", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return false;
        }
    }
}
