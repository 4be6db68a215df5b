using Maplog.Cli;
using Maplog.Cli.Output;

using var terminal = Terminal.OfThisProcess();
return await CommandTree.RunAsync(args, terminal);
