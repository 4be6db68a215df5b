using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;

namespace Maplog.Configuration;

/// <summary>Settings files: why a file cannot be read, and where a setting is in it.</summary>
public static partial class SettingsFile
{
    /// <summary>Whether <see cref="Explain"/> knows this failure to add a file.</summary>
    public static bool Explains(Exception failure) => failure is IOException or InvalidDataException or FormatException or UnauthorizedAccessException;

    /// <summary>A sentence with the file and the place in it.</summary>
    public static string Explain(Exception failure)
    {
        // For a missing file, the whole path comes last.
        var path = Quoted().Matches(failure.Message).LastOrDefault()?.Groups[1].Value;
        var file = path is null ? "The settings file" : $"The settings file {SafeText.Of(path)}";
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is JsonException { LineNumber: { } line, BytePositionInLine: { } column })
                return $"{file} is not JSON: line {line + 1}, column {column + 1} cannot be read. There, or on the line before, a comma, a quote or a bracket is missing or extra.";
        }
        return failure switch
        {
            FileNotFoundException or DirectoryNotFoundException => $"{file} does not exist.",
            UnauthorizedAccessException => $"{file} is not readable for this user, or is a folder.",
            { InnerException: FormatException { Message: var why } } when Quoted().Match(why) is { Success: true } key => $"{file} has the setting {SafeText.Of(key.Groups[1].Value)} twice.",
            _ => $"{file} cannot be read: it must contain one JSON object with settings.",
        };
    }

    /// <summary>The file and line that a setting's value comes from; null: it comes from the environment or the command line.</summary>
    /// <param name="configuration">All settings.</param>
    /// <param name="setting">Its full name, as <c>Maplog:Log:Schema</c>.</param>
    public static string? PlaceOf(IConfiguration configuration, string setting)
    {
        foreach (var provider in (configuration as IConfigurationRoot)?.Providers.Reverse() ?? [])
        {
            if (!provider.TryGet(setting, out _) && !provider.GetChildKeys([], setting).Any())
                continue;
            if (provider is not JsonConfigurationProvider { Source: { Path: { } name, FileProvider: var files } })
                return null;
            return files?.GetFileInfo(name).PhysicalPath is { } path && File.Exists(path) && LineOf(File.ReadAllBytes(path), setting) is { } line ? $"{path}, line {line}" : name;
        }
        return null;
    }

    /// <summary>The line of a setting in JSON, from 1; null: the JSON does not have it.</summary>
    internal static int? LineOf(byte[] json, string setting)
    {
        var content = json.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? json.AsSpan(Encoding.UTF8.Preamble.Length) : json;
        var reader = new Utf8JsonReader(content, new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
        var names = new Stack<(string Path, int Index)>([("", -1)]);
        var pending = "";
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                names.Pop();
                continue;
            }
            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                pending = Join(names.Peek().Path, reader.GetString()!);
            }
            else
            {
                // The elements of an array are settings with a number as their name.
                if (names.Peek() is { Index: >= 0 } array)
                {
                    pending = Join(array.Path, $"{array.Index}");
                    names.Pop();
                    names.Push((array.Path, array.Index + 1));
                }
                if (pending.Equals(setting, StringComparison.OrdinalIgnoreCase))
                    return content[..(int)reader.TokenStartIndex].Count((byte)'\n') + 1;
                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                    names.Push((pending, reader.TokenType == JsonTokenType.StartArray ? 0 : -1));
            }
        }
        return null;
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}:{name}";

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex Quoted();
}
