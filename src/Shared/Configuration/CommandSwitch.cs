namespace Maplog.Configuration;

/// <summary>One option of a daemon's command line: a short name for a setting.</summary>
/// <param name="Name">With its dashes: <c>--log</c>.</param>
/// <param name="Argument">The name of its value in the usage text; empty: it has no value, and sets its setting to true.</param>
/// <param name="Help">One line.</param>
/// <param name="Setting">
/// The setting; <c>{0}</c> in it is the number of earlier occurrences of the option, for settings that are lists.
/// </param>
public sealed record CommandSwitch(string Name, string Argument, string Help, string Setting);
