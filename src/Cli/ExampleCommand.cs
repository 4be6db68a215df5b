using System.CommandLine;

namespace Maplog.Cli;

/// <summary>A command with examples for its help.</summary>
internal sealed class ExampleCommand(string name, string description, params IReadOnlyList<string> examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}
