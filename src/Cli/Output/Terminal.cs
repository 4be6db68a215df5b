using System.IO.Pipes;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using Spectre.Console;

namespace Maplog.Cli.Output;

/// <summary>Where a command writes: what it found to one stream, what went wrong to the other.</summary>
internal sealed class Terminal : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private readonly Stream _stream;
    private readonly Lazy<IAnsiConsole> _console;

    /// <param name="stream">UTF-8 goes here.</param>
    /// <param name="error">Complaints.</param>
    /// <param name="isForPeople">Draw tables and colours; else plain columns for pipes and files.</param>
    public Terminal(Stream stream, TextWriter error, bool isForPeople)
    {
        _stream = stream;
        Out = new StreamWriter(stream, Utf8, bufferSize: 16 * 1024);
        Error = error;
        IsForPeople = isForPeople;
        _console = new Lazy<IAnsiConsole>(() => AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Out),
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.No,
        }));
    }

    /// <summary>Text; <see cref="Flush"/> before writing to the same stream otherwise.</summary>
    public TextWriter Out { get; }

    public TextWriter Error { get; }

    public bool IsForPeople { get; }

    /// <summary>For tables and colours; only where <see cref="IsForPeople"/>.</summary>
    public IAnsiConsole Console => _console.Value;

    public static Terminal OfThisProcess()
    {
        var redirected = System.Console.IsOutputRedirected;
        var plain = redirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } || Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
        return new Terminal(redirected ? PipeOr(System.Console.OpenStandardOutput) : System.Console.OpenStandardOutput(), System.Console.Error, !plain);
    }

    /// <summary>One sentence about what went wrong.</summary>
    public void Complain(string sentence) => Error.WriteLine($"maplog: {sentence}");

    /// <summary>A writer of JSON onto the output. Dispose it before writing anything else.</summary>
    public Utf8JsonWriter Json(bool indented = false)
    {
        Flush();
        // Bytes and names of maps are for programs and terminals, never for HTML.
        return new Utf8JsonWriter(_stream, new JsonWriterOptions { Indented = indented, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>A whole JSON value, indented, and a line end.</summary>
    public void Json(Action<Utf8JsonWriter> write)
    {
        using (var json = Json(indented: true))
            write(json);
        EndLine();
    }

    /// <summary>Ends the line after JSON.</summary>
    public void EndLine() => _stream.WriteByte((byte)'\n');

    public void Flush()
    {
        Out.Flush();
        _stream.Flush();
    }

    public void Dispose() => FlushIfRead();

    /// <summary>The same, but no failure when the reader of the pipe has left.</summary>
    public void FlushIfRead()
    {
        try
        {
            Flush();
        }
        catch (IOException)
        {
            // Nobody is there to be told.
        }
    }

    // .NET's console stream swallows EPIPE: 'maplog watch … | head' would never end. A pipe stream does not.
    private static Stream PipeOr(Func<Stream> console)
    {
        try
        {
            return new AnonymousPipeClientStream(PipeDirection.Out, new SafePipeHandle(1, ownsHandle: false));
        }
        catch (IOException)
        {
            return console();
        }
    }
}
