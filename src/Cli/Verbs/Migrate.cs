using System.CommandLine;
using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog migrate</c></summary>
internal static class Migrate
{
    public static Command Command(Terminal terminal)
    {
        var command = new ExampleCommand(
            "migrate", "Create or upgrade the log's schema in Postgres, and give its roles their rights. Needs the rights of the schema's owner. Run again, it only restores missing rights, as after pg_restore.",
            "maplog migrate --log \"Host=localhost;Database=maplog;Username=postgres\"");
        Call.Set(command, terminal, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Call call)
    {
        await using var log = call.OpenLog();
        var schema = new LogSchema(log);
        var applied = await schema.MigrateAsync(call.Cancellation);
        var renewed = await EarlierDescriptions.RenewAsync(log, call.Cancellation);
        var missing = await schema.ListMissingRolesAsync(call.Cancellation);
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartObject();
                json.WriteString("schema", log.Schema);
                json.WriteStartArray("applied");
                foreach (var name in applied)
                    json.WriteStringValue(name);
                json.WriteEndArray();
                json.WriteNumber("described", renewed);
                json.WriteStartArray("missingRoles");
                foreach (var role in missing)
                    json.WriteStringValue(role);
                json.WriteEndArray();
                json.WriteEndObject();
            });
        }
        else
        {
            Write(call, log, applied);
            if (renewed > 0)
                call.Terminal.Out.WriteLine($"{renewed} {(renewed == 1 ? "map that an earlier version described is" : "maps that an earlier version described are")} described by the BTF again: 'maplog describe STREAM' shows how.");
        }
        if (missing.Count > 0)
            call.Terminal.Complain(
                $"The server lacks the {(missing.Count == 1 ? "role" : "roles")} {string.Join(", ", missing)}, which this login may not create: until they exist, only the log's owner can use the log. "
                + $"As an administrator of the server run `{string.Join("; ", missing.Select(r => $"create role {r} nologin"))};`, then `maplog migrate` again, which gives them their rights.");
        return ExitCode.Ok;
    }

    private static void Write(Call call, LogStore log, IReadOnlyList<string> applied)
    {
        foreach (var name in applied)
            call.Terminal.Out.WriteLine($"applied {name}");
        call.Terminal.Out.WriteLine(applied.Count == 0
            ? $"The log in {log.Place}, schema '{log.Schema}', is current: nothing to apply."
            : $"The log in {log.Place}, schema '{log.Schema}', is current.");
    }
}
