using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;

namespace Maplog.Configuration;

/// <summary>
/// Settings as their files have them at this moment, for settings that may change while a daemon runs: passwords. The environment and the
/// command line stay as they were.
/// </summary>
/// <param name="sources">The sources of the daemon's settings, in order; the later one wins.</param>
public sealed class SettingsNow(IEnumerable<IConfigurationSource> sources)
{
    /// <param name="setting">Its full name, <c>Maplog:Log:ConnectionString</c>.</param>
    /// <returns>Its value; null: there is none, or a file cannot be read now, for example while somebody writes it.</returns>
    public string? Find(string setting)
    {
        // The host's own configuration stays untouched: reading it again would notify everybody who listens for changes.
        var builder = new ConfigurationBuilder();
        foreach (var source in sources)
            builder.Add(source is JsonConfigurationSource file ? Unwatched(file) : source);
        try
        {
            return builder.Build()[setting];
        }
        catch (Exception e) when (e is IOException or InvalidDataException or FormatException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Otherwise a watched file would get another watcher at each read.
    private static JsonConfigurationSource Unwatched(JsonConfigurationSource file) =>
        new() { FileProvider = file.FileProvider, Path = file.Path!, Optional = file.Optional, ReloadOnChange = false };
}
