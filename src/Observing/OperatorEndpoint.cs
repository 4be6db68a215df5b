using System.Net;
using System.Net.Sockets;
using Maplog.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using OpenTelemetry.Metrics;

namespace Maplog.Observing;

/// <summary>
/// <c>/metrics</c> for Prometheus, <c>/healthz</c> (the process answers) and <c>/readyz</c> (the daemon does its work, or why not), on one
/// port. The endpoint listens before the daemon begins and until it has ended, so that a probe sees both.
/// </summary>
internal sealed class OperatorEndpoint(IPEndPoint place, MeterProvider metrics, IReadiness readiness, DaemonExit exit) : IStartsFirst, IAsyncDisposable
{
    private const int MostConnections = 64;

    private WebApplication? _server;

    public async Task<string?> StartAsync(CancellationToken cancellation)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(place);
        });
        _server = builder.Build();
        _server.UseOpenTelemetryPrometheusScrapingEndpoint(metrics, null, "/metrics", null, null);
        _server.Run(AnswerAsync);
        try
        {
            await _server.StartAsync(cancellation);
            return null;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            var why = e is AddressInUseException || e.InnerException is AddressInUseException ? "another process listens there" : (e.InnerException ?? e).Message.TrimEnd('.');
            return $"Cannot listen on {place} ({why}): give another address with --http ({HttpOptions.Section}:{nameof(HttpOptions.Address)}), or end that process.";
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext context)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value);
        if (!HttpMethods.IsGet(method) && !HttpMethods.IsHead(method))
            return WriteAsync(context, StatusCodes.Status405MethodNotAllowed, "Use GET.");
        return path switch
        {
            "/healthz" => exit.Code == 0 ? WriteAsync(context, StatusCodes.Status200OK, "healthy") : WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "ending: the daemon could not continue; its log says why"),
            "/readyz" => ReadyAsync(context),
            "/" => WriteAsync(context, StatusCodes.Status200OK, "/healthz\n/readyz\n/metrics"),
            _ => WriteAsync(context, StatusCodes.Status404NotFound, "The paths are /healthz, /readyz and /metrics."),
        };
    }

    private async Task ReadyAsync(HttpContext context)
    {
        var found = await readiness.CheckAsync(context.RequestAborted);
        await WriteAsync(context, found.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, SafeText.Lines(string.Join('\n', found.Lines.Prepend(found.IsReady ? "ready" : "not ready"))));
    }

    private static Task WriteAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text + "\n");
    }
}
