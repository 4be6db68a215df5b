using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maplog.Configuration;

/// <summary>
/// The common part of the daemons around the generic host: settings from appsettings.json, environment and command line (the later one
/// wins), all mistakes reported before anything starts, and exit codes (<see cref="DaemonExit"/>).
/// </summary>
/// <param name="name">The command's name.</param>
/// <param name="purpose">Its purpose in one line.</param>
/// <param name="switches">Its own options.</param>
public sealed class Daemon(string name, string purpose, IReadOnlyList<CommandSwitch> switches)
{
    /// <param name="arguments">The command line.</param>
    /// <param name="compose">Reads the settings it needs and adds the services. It is called once, and the services run only if no setting is wrong.</param>
    public async Task<int> RunAsync(string[] arguments, Action<HostApplicationBuilder, Settings> compose)
    {
        var line = CommandLine.Parse(arguments, switches);
        if (line.WantsHelp || line.WantsVersion)
        {
            Console.WriteLine(line.WantsHelp ? Usage() : $"{name} {Version}");
            return 0;
        }
        HostApplicationBuilder builder;
        try
        {
            builder = Host.CreateApplicationBuilder();
            foreach (var file in line.Files)
                builder.Configuration.AddJsonFile(file, optional: false);
        }
        catch (Exception e) when (SettingsFile.Explains(e))
        {
            return Refuse([SettingsFile.Explain(e)]);
        }
        builder.Configuration.AddInMemoryCollection(line.Settings);
        builder.Logging.ClearProviders().AddConsole(console => console.FormatterName = SafeConsoleFormatter.FormatterName)
            .AddConsoleFormatter<SafeConsoleFormatter, Microsoft.Extensions.Logging.Console.ConsoleFormatterOptions>();
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning).AddFilter("MassTransit", LogLevel.Warning);
        var exit = new DaemonExit();
        builder.Services.AddSingleton(exit).AddSingleton(TimeProvider.System);
        var settings = new Settings(builder.Configuration);
        compose(builder, settings);
        if (line.Mistakes.Count + settings.Mistakes.Count > 0)
            return Refuse([.. line.Mistakes, .. settings.Mistakes]);
        using var host = builder.Build();
        if (host.Services.GetService<IRunsInstead>() is { } instead)
            return instead.Run();
        foreach (var first in host.Services.GetServices<IStartsFirst>())
        {
            if (await first.StartAsync(CancellationToken.None) is not { } why)
                continue;
            Console.Error.WriteLine($"{name}: {SafeText.Of(why)}");
            return DaemonExit.Failed;
        }
        var services = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
        await host.RunAsync();
        if (services.Find(s => s.ExecuteTask is { IsCompleted: false }) is not { } hung)
            return exit.Code;
        Console.Error.WriteLine($"{name}: the daemon did not stop on request ({hung.GetType().Name}), so it is ended now. The next daemon continues after the last commit or the last applied batch.");
        return DaemonExit.Failed;
    }

    private static string Version => typeof(Daemon).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private int Refuse(IReadOnlyList<string> mistakes)
    {
        foreach (var mistake in mistakes)
            Console.Error.WriteLine($"{name}: {SafeText.Of(mistake)}");
        return DaemonExit.WrongSettings;
    }

    private string Usage()
    {
        var text = new System.Text.StringBuilder();
        text.AppendLine($"{name}: {purpose}").AppendLine().AppendLine($"Usage: {name} [options]").AppendLine();
        IEnumerable<(string Left, string Help, string Setting)> rows = switches.Select(s => ($"{s.Name} {s.Argument}".TrimEnd(), s.Help, s.Setting.Replace("{0}", "N", StringComparison.Ordinal)));
        foreach (var (left, help, setting) in rows)
            text.AppendLine($"  {left,-26} {help}").AppendLine($"  {"",-26} [{setting}]");
        text.AppendLine($"  {"--config FILE",-26} Read settings from this JSON file too.");
        text.AppendLine($"  {"--SETTING=VALUE",-26} Set any setting by its full name, --Maplog:Log:Schema=other.");
        text.AppendLine().Append("Settings come from appsettings.json in the working folder, then from the environment (Maplog__Log__Schema), then from these options; the later one wins.");
        return text.ToString();
    }
}
