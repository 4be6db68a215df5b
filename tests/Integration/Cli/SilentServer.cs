using System.Net;
using System.Net.Sockets;

namespace Maplog.Tests.Integration.Cli;

/// <summary>A server that lets callers connect and never says a word, as behind a broken proxy.</summary>
internal sealed class SilentServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public SilentServer() => _listener.Start();

    /// <summary>Waits ten minutes for an answer, longer than any test.</summary>
    public string Connection => $"Host=127.0.0.1;Port={((IPEndPoint)_listener.LocalEndpoint).Port};Database=maplog;Username=maplog;Password=secret;Timeout=600";

    /// <summary>Whether anybody has connected.</summary>
    public bool HasCaller => _listener.Pending();

    public void Dispose() => _listener.Dispose();
}
