using System.CommandLine;
using System.Net.Sockets;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Configuration;
using Maplog.HotStandby;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;
using Maplog.Snapshots;

namespace Maplog.Cli;

/// <summary>One run of a verb: its arguments, its settings, its output.</summary>
internal sealed class Call(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
{
    /// <summary>EPIPE.</summary>
    private const int BrokenPipe = 32;

    public ParseResult Arguments { get; } = arguments;

    public Terminal Terminal { get; } = terminal;

    public CancellationToken Cancellation { get; } = cancellation;

    public bool WantsJson => Arguments.GetValue(CommonOptions.Json);

    public bool WantsCsv => Arguments.GetValue(TableOptions.Csv);

    public bool WantsDetails => Arguments.GetValue(CommonOptions.Verbose);

    /// <summary>Makes a verb's work the command's action: an exception becomes one sentence and an exit code.</summary>
    public static void Set(Command command, Terminal terminal, Func<Call, Task<int>> run) =>
        command.SetAction((arguments, cancellation) => RunAsync(new Call(arguments, terminal, cancellation), run));

    /// <summary>The log of the settings. Nothing is connected yet.</summary>
    /// <exception cref="UsageException">A setting is missing or wrong.</exception>
    public LogStore OpenLog() => new(CommandSettings.Read(Arguments).Log());

    /// <summary>The earlier content of maps, by snapshots if there are any; damaged snapshots are reported.</summary>
    public StreamHistory History(LogStore log) => new(log, Terminal.Complain);

    /// <summary>The stream of the argument; it must exist.</summary>
    /// <exception cref="UsageException">There is no such stream; the message names the nearest ones.</exception>
    public async Task<StreamSummary> FindStreamAsync(LogStore log, string name)
    {
        var streams = await new LogReader(log).ListStreamsAsync(cancellation: Cancellation);
        if (streams.FirstOrDefault(s => s.Stream.ToString() == name) is { } found)
            return found;
        var given = Secrets.Hide(name);
        if (streams.Count == 0)
            throw new UsageException($"The log at {log.Place} has no stream yet, so there is no '{given}': start maplog-capture for a source first.");
        var near = Near.Streams(name, streams.Select(s => s.Stream));
        throw new UsageException(near.Count > 0
            ? $"The log at {log.Place} has no stream '{given}'. Did you mean {string.Join(" or ", near)}?"
            : $"The log at {log.Place} has no stream '{given}': 'maplog maps' lists its streams.");
    }

    private static async Task<int> RunAsync(Call call, Func<Call, Task<int>> run)
    {
        try
        {
            if (call.WantsJson && call.WantsCsv)
                throw new UsageException("--json and --csv are two formats: give only one of them.");
            var code = await run(call);
            call.Terminal.Flush();
            return code;
        }
        catch (Exception e)
        {
            return call.Explain(e);
        }
    }

    private int Explain(Exception failure)
    {
        // First the findings, then the failure.
        Terminal.FlushIfRead();
        // Work on several CPUs reports its failures together.
        if (failure is AggregateException { InnerException: { } first })
            failure = first;
        switch (failure)
        {
            case UsageException usage:
                foreach (var mistake in usage.Mistakes)
                    Terminal.Complain(mistake);
                break;
            case OperationCanceledException when Cancellation.IsCancellationRequested:
                return ExitCode.Interrupted;
            // The reader of the pipe has read enough.
            case IOException { InnerException: SocketException { NativeErrorCode: BrokenPipe } }:
                return ExitCode.Ok;
            case LogException or KernelException or ReplicaException or StandbyException or FormatException or IOException or UnauthorizedAccessException:
                Terminal.Complain(failure.Message);
                break;
            default:
                Terminal.Complain($"This should not have happened ({failure.GetType().Name}: {failure.Message}). Run it again with --verbose and report what it prints.");
                break;
        }
        if (WantsDetails)
            Terminal.Error.WriteLine(failure);
        return failure switch
        {
            UsageException => ExitCode.Usage,
            PrunedException => ExitCode.Pruned,
            _ => ExitCode.Failed,
        };
    }
}
