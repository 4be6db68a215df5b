using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Maplog.Configuration;

/// <summary>
/// Reads options from configuration sections and collects their mistakes, so that a daemon can report all of them at once: values that do
/// not parse, settings that do not exist, and the results of the options' own validation.
/// </summary>
public sealed class Settings(IConfiguration configuration)
{
    private readonly List<(string Setting, string Sentence)> _mistakes = [];

    /// <summary>One line each: the setting's name, then a sentence, then its file and line if it comes from a file.</summary>
    public IReadOnlyList<string> Mistakes =>
        [.. _mistakes.Select(m => $"{m.Setting}: {m.Sentence}{(SettingsFile.PlaceOf(configuration, m.Setting) is { } place ? $" It is set in {place}." : "")}")];

    /// <summary>Adds a mistake found elsewhere.</summary>
    public void Refuse(string setting, string sentence) => _mistakes.Add((setting, sentence));

    /// <param name="section">Path of the section, for example <c>Maplog:Log</c>.</param>
    public T Read<T>(string section) where T : class, new()
    {
        var options = new T();
        Bind(options, configuration.GetSection(section));
        return options;
    }

    private void Bind(object options, IConfigurationSection section)
    {
        var properties = options.GetType().GetProperties().Where(p => p.CanWrite).ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
        if (section.Value is { Length: > 0 })
            Refuse(section.Path, $"it is a section with its own settings ({string.Join(", ", properties.Keys)}), but has a value instead.");
        foreach (var setting in section.GetChildren())
        {
            if (properties.TryGetValue(setting.Key, out var property))
                BindOne(options, property, setting);
            else
                Refuse(setting.Path, $"there is no such setting; {section.Path} has {string.Join(", ", properties.Keys)}.");
        }
        var found = new List<ValidationResult>();
        var context = new ValidationContext(options);
        // The framework's validator calls the options' own validation only if no attribute complains.
        if (!Validator.TryValidateObject(options, context, found, validateAllProperties: true) && options is IValidatableObject itself)
            found.AddRange(itself.Validate(context));
        foreach (var mistake in found)
        {
            foreach (var member in mistake.MemberNames.DefaultIfEmpty(""))
            {
                var name = member.Length == 0 ? section.Path : $"{section.Path}:{member}";
                // If a value did not parse, the default stays: a mistake that follows from this is not a second mistake.
                if (_mistakes.All(m => m.Setting != name))
                    Refuse(name, mistake.ErrorMessage ?? "the value is not valid.");
            }
        }
    }

    private void BindOne(object options, PropertyInfo property, IConfigurationSection setting)
    {
        var item = property.PropertyType.IsGenericType && property.PropertyType.GetGenericTypeDefinition() == typeof(List<>)
            ? property.PropertyType.GetGenericArguments()[0] : null;
        if (item is not null && setting.Value is { Length: > 0 })
        {
            var example = item == typeof(string) ? "[\"...\"]" : "[{ ... }]";
            Refuse(setting.Path, $"it is a list: write {example} in a file, and {setting.Path}:0{(item == typeof(string) ? "" : ":NAME")} elsewhere.");
            return;
        }
        if (item is null && setting.Value is null && setting.GetChildren().Any())
        {
            Refuse(setting.Path, $"it must be {Wanted(property.PropertyType)}, but is a list or a section.");
            return;
        }
        if (item is { IsClass: true } && item != typeof(string))
        {
            var list = (System.Collections.IList)Activator.CreateInstance(property.PropertyType)!;
            foreach (var child in setting.GetChildren())
            {
                var element = Activator.CreateInstance(item)!;
                Bind(element, child);
                list.Add(element);
            }
            property.SetValue(options, list);
            return;
        }
        if ((Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(TimeSpan))
        {
            BindDuration(options, property, setting);
            return;
        }
        try
        {
            if (setting.Get(property.PropertyType) is { } value)
                property.SetValue(options, value);
        }
        catch (InvalidOperationException)
        {
            Refuse(setting.Path, $"'{Secrets.Hide(setting.Value ?? "")}' is not {Wanted(property.PropertyType)}.");
        }
    }

    private void BindDuration(object options, PropertyInfo property, IConfigurationSection setting)
    {
        if (setting.Value is not { Length: > 0 } text)
            return;
        if (Duration.Parse(text) is { } duration)
            property.SetValue(options, duration);
        else if (text.All(char.IsAsciiDigit))
            Refuse(setting.Path, $"'{text}' has no unit: write {text}s for seconds, {text}m for minutes, or hours:minutes:seconds.");
        else
            Refuse(setting.Path, $"'{text}' is not a duration: write {Duration.Forms}.");
    }

    private static string Wanted(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum)
            return $"one of {string.Join(", ", Enum.GetNames(type))}";
        if (type == typeof(bool))
            return "true or false";
        if (type == typeof(string))
            return "a text";
        if (type == typeof(TimeSpan))
            return $"a duration: {Duration.Forms}";
        if (type == typeof(Uri))
            return "an address, written as scheme://user:password@host:port/path with one host";
        return type == typeof(int) || type == typeof(long) || type == typeof(uint) || type == typeof(ulong) || type == typeof(ushort) ? "a whole number in range" : $"a {type.Name}";
    }
}
