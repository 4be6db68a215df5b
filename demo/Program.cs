using System.Runtime.InteropServices;
using Maplog.Demo;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Servers;

if (!DemoOptions.TryParse(args, out var options, out var mistake))
{
    Console.Error.WriteLine($"demo: {mistake}");
    Console.Error.WriteLine(DemoOptions.Usage);
    return 2;
}
using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext context)
{
    context.Cancel = true; // what has been started is taken down first
    stop.Cancel();
}
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hungUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
try
{
    return await new Show(options).RunAsync(stop.Token) ? 0 : 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("demo: stopped, and everything it had started is gone again.");
    return 130;
}
catch (Exception e)
{
    // Everything has been taken down by now. What is not a sentence for a person is shown with where it came from.
    var isSentence = e is DemoException or KernelException or MissingServerException or LogException;
    Console.Error.WriteLine($"demo: {(isSentence ? e.Message : e)}");
    return 1;
}
