using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Npgsql;

namespace Maplog.Log;

/// <summary>Where the log is and how it is reached.</summary>
public sealed partial class LogOptions : IValidatableObject
{
    /// <summary>An Npgsql connection string, for example <c>Host=db;Database=maplog;Username=maplog</c>. No default.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>The schema that holds the log. Default: <c>maplog</c>.</summary>
    public string Schema { get; set; } = "maplog";

    /// <summary>How long one command may take before it is given up. Default: 30 seconds.</summary>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ConnectionStringMistake() is { } mistake)
            yield return new ValidationResult(mistake, [nameof(ConnectionString)]);
        if (!SchemaName().IsMatch(Schema))
            yield return new ValidationResult($"Schema '{Schema}' is not a name that Postgres accepts without quotes: use at most 40 of a-z, 0-9 and '_', beginning with a letter.", [nameof(Schema)]);
        if (CommandTimeout < TimeSpan.FromSeconds(1) || CommandTimeout > TimeSpan.FromDays(1))
            yield return new ValidationResult($"CommandTimeout {CommandTimeout} is out of range: use 00:00:01 to 1.00:00:00.", [nameof(CommandTimeout)]);
    }

    /// <summary>Every mistake at once.</summary>
    /// <exception cref="ValidationException">At least one setting is wrong; the message is a sentence for each.</exception>
    public void ThrowIfInvalid()
    {
        var mistakes = new List<ValidationResult>();
        if (!Validator.TryValidateObject(this, new ValidationContext(this), mistakes, validateAllProperties: true) || mistakes.Count > 0)
            throw new ValidationException(string.Join(" ", mistakes.Select(m => m.ErrorMessage)));
    }

    /// <summary>The password in a connection string; null: it has none, or cannot be read.</summary>
    public static string? PasswordIn(string? connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString).Password is { Length: > 0 } password ? password : null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or NotSupportedException)
        {
            return null;
        }
    }

    private string? ConnectionStringMistake()
    {
        if (ConnectionString.Length == 0)
            return "ConnectionString is missing: give the Postgres database of the log, for example \"Host=localhost;Database=maplog;Username=maplog\".";
        if (ConnectionString.Contains("://", StringComparison.Ordinal))
            return "ConnectionString is an address: write it as \"Host=...;Database=...;Username=...;Password=...\" instead.";
        try
        {
            var parsed = new NpgsqlConnectionStringBuilder(ConnectionString);
            return string.IsNullOrEmpty(parsed.Host) ? "ConnectionString names no Host: give the Postgres server of the log, for example \"Host=localhost;Database=maplog;Username=maplog\"." : null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or NotSupportedException)
        {
            return $"ConnectionString cannot be read: {ConnectionStringFault.In(ConnectionString)} Write it as \"Host=...;Database=...;Username=...\", and a value that has a ';' in quotes.";
        }
    }

    [GeneratedRegex("^[a-z][a-z0-9_]{0,39}$")]
    private static partial Regex SchemaName();
}
