using System.Diagnostics;

namespace Maplog.Demo;

/// <summary>Runs programs to their end.</summary>
internal static class Commands
{
    /// <returns>What it wrote to its output.</returns>
    /// <exception cref="DemoException">It ended with another code than 0.</exception>
    public static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation = default)
    {
        var (code, output, errors) = await TryRunAsync(program, arguments, cancellation);
        return code == 0
            ? output
            : throw new DemoException($"'{Path.GetFileName(program)} {string.Join(' ', arguments)}' ended with {code}: {errors.Trim()} {output.Trim()}");
    }

    public static async Task<(int Code, string Output, string Errors)> TryRunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation = default)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new DemoException($"{program} could not be started.");
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
        return (process.ExitCode, await output, await errors);
    }
}
