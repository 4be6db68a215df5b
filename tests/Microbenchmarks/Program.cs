// What the single steps of a change's way cost: maplog-microbenchmarks, with BenchmarkDotNet's own options (--filter, --job dry ...).
// In this process: a process of its own for each would want a project of its own restored.
using BenchmarkDotNet.Running;
using Maplog.Microbenchmarks;

var summaries = BenchmarkSwitcher.FromAssembly(typeof(Entries).Assembly).Run(["--inProcess", "--memory", .. args.Length == 0 ? ["--filter", "*"] : args]);
return summaries.Any() && summaries.All(s => !s.HasCriticalValidationErrors && s.Reports.All(r => r.Success)) ? 0 : 1;
