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
        var root = new Option<string?>("--pin-root") { Description = "The --pin-root of its capture.", HelpName = "FOLDER" };
        var force = new Option<bool>("--force")
        {
            Description = "Detach even while a capture of the source runs: the capture notes a gap in every stream, and attaches its hook again.",
        };
        var command = new ExampleCommand(
            "detach",
            "Stop the recording that the kernel continues after a source's capture has stopped: remove the pins of its ring, programs "
            + "and links. Changes that are not logged yet are lost. Refused while a capture of the source runs.",
            "maplog detach lb-1") { source, root, force };
        Call.Set(command, terminal, call => Task.FromResult(
            Run(call, call.Arguments.GetRequiredValue(source), call.Arguments.GetValue(root), call.Arguments.GetValue(force))));
        return command;
    }

    private static int Run(Call call, string source, string? root, bool isForced)
    {
        if (!StreamName.IsSource(source))
            throw new UsageException($"'{Secrets.Hide(source)}' is not a source name: use 1 to {StreamName.MaxSourceLength} of a-z, 0-9, '-' and '_', beginning with a letter or digit.");
        var folder = Path.Combine(root ?? CommandSettings.Read(call.Arguments).PinRoot, source);
        var removed = Directory.Exists(folder) ? Remove(source, folder, isForced) : [];
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

    private static IReadOnlyList<string> Remove(string source, string folder, bool isForced)
    {
        if (!Bpffs.Holds(folder))
            throw new KernelException($"Cannot remove the pins in {folder}: it is not on a BPF file system.", Errno.Einval);
        // The lock is held until the folder is gone: meanwhile no capture begins in it.
        using var held = FolderLock.TryTake(folder);
        if (held is null && !isForced)
        {
            throw new KernelException(
                $"Cannot detach source {source}: its capture runs, {HookClaim.DescribeHolder(folder)}. Stop it first; "
                + "with --force its pins are removed all the same, and the capture attaches its hook again, after a gap in every stream.");
        }
        var removed = CaptureHook.Detach(folder);
        Directory.Delete(folder);
        return removed;
    }
}
