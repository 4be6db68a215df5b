using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;

namespace Maplog.Configuration;

/// <summary>This host.</summary>
public sealed class NodeOptions
{
    private const string Allowed = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";

    /// <summary>The name of this host in the log and on the bus. Default: its host name, or localhost if it has none.</summary>
    [RegularExpression(Allowed, ErrorMessage = "use 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit.")]
    public string Name { get; set; } = Regex.IsMatch(Environment.MachineName, $"^{Allowed}$") ? Environment.MachineName : "localhost";
}
