using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Configuration;
using Maplog.Events;
using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog detach SOURCE</c></summary>
internal static class Detach
{
    public static Command Command(Terminal terminal)
    {
        var source = SourceArgument.Make();
        var root = new Option<string?>("--pin-root") { Description = "The --pin-root that its capture was given.", HelpName = "FOLDER" };
        var command = new ExampleCommand(
            "detach", "End what the kernel goes on recording of a source after its capture has stopped: remove the pins of its ring, programs and links. What is not logged yet is lost.",
            "maplog detach lb-1") { source, root };
        Call.Set(command, terminal, call => Task.FromResult(Run(call, call.Arguments.GetRequiredValue(source), call.Arguments.GetValue(root))));
        return command;
    }

    private static int Run(Call call, string source, string? root)
    {
        if (!StreamName.IsSource(source))
            throw new UsageException($"'{source}' is not a source name: use 1 to {StreamName.MaxSourceLength} of a-z, 0-9, '-' and '_', beginning with a letter or digit.");
        var folder = Path.Combine(root ?? CommandSettings.Read(call.Arguments).PinRoot, source);
        var removed = Directory.Exists(folder) ? Remove(folder) : [];
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartObject();
                json.WriteString("source", source);
                json.WriteStartArray("removed");
                foreach (var path in removed)
                    json.WriteStringValue(path);
                json.WriteEndArray();
                json.WriteEndObject();
            });
            return ExitCode.Ok;
        }
        foreach (var path in removed)
            call.Terminal.Out.WriteLine($"removed {SafeText.Of(path)}");
        call.Terminal.Out.WriteLine(removed.Count == 0
            ? $"Source {source} has nothing pinned under {folder} on this node: nothing to remove."
            : $"Source {source} is detached: {Count.Of(removed.Count, "pin")} removed.");
        return ExitCode.Ok;
    }

    private static IReadOnlyList<string> Remove(string folder)
    {
        if (!Bpffs.Holds(folder))
            throw new KernelException($"Cannot remove the pins in {folder}: it is not on a BPF file system.", Errno.Einval);
        var removed = CaptureHook.Detach(folder);
        Directory.Delete(folder);
        return removed;
    }
}
