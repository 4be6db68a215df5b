using System.ComponentModel.DataAnnotations;

namespace Maplog.Configuration;

/// <summary>This host.</summary>
public sealed class NodeOptions
{
    /// <summary>What the log and the bus call this host. Default: its host name.</summary>
    [RegularExpression("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", ErrorMessage = "use 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit.")]
    public string Name { get; set; } = Environment.MachineName;
}
