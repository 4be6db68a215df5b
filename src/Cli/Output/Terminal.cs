using System.IO.Pipes;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using Spectre.Console;

namespace Maplog.Cli.Output;

/// <summary>The output of a command: findings go to one stream, problems to the other.</summary>
internal sealed class Terminal : IDisposable
{
    /// <summary>Columns of a terminal that does not report its width.</summary>
    private const int UsualWidth = 80;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private readonly Stream _stream;
    private readonly StreamWriter _out;
    private readonly TextWriter _error;
    private readonly Lazy<IAnsiConsole> _console;
    private readonly Lazy<int> _width;

    /// <param name="stream">Receives UTF-8.</param>
    /// <param name="error">Receives complaints.</param>
    /// <param name="isForPeople">Draw tables and colours; otherwise plain columns for pipes and files.</param>
    /// <param name="width">Columns of the terminal.</param>
    public Terminal(Stream stream, TextWriter error, bool isForPeople, Func<int>? width = null)
    {
        _stream = stream;
        _out = new StreamWriter(stream, Utf8, bufferSize: 16 * 1024);
        _error = error;
        Out = new SafeWriter(_out);
        Error = new SafeWriter(error);
        IsForPeople = isForPeople;
        _width = new Lazy<int>(() => width?.Invoke() is > 0 and var columns ? columns : UsualWidth);
        _console = new Lazy<IAnsiConsole>(() =>
        {
            var console = AnsiConsole.Create(new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(_out),
                Ansi = AnsiSupport.Yes,
                Interactive = InteractionSupport.No,
            });
            console.Profile.Width = Width;
            return console;
        });
    }

    /// <summary>Text that cannot control the terminal (<see cref="SafeWriter"/>).</summary>
    public TextWriter Out { get; }

    public TextWriter Error { get; }

    public bool IsForPeople { get; }

    /// <summary>Columns of the terminal; only if <see cref="IsForPeople"/>.</summary>
    public int Width => _width.Value;

    /// <summary>For tables and colours; only if <see cref="IsForPeople"/>.</summary>
    public IAnsiConsole Console => _console.Value;

    public static Terminal OfThisProcess()
    {
        var redirected = System.Console.IsOutputRedirected;
        var plain = redirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } || Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
        // .NET prepares the terminal for keys when a program reads the width, so only tables read it.
        var output = redirected ? PipeOr(System.Console.OpenStandardOutput) : System.Console.OpenStandardOutput();
        return new Terminal(output, System.Console.Error, !plain, () => System.Console.WindowWidth);
    }

    /// <summary>
    /// One sentence about a problem. Further lines, such as libbpf's, are indented: no name in them can look like a sentence of the
    /// command.
    /// </summary>
    public void Complain(string sentence) => Error.WriteLine($"maplog: {sentence.Replace("\n", "\n  ", StringComparison.Ordinal)}");

    /// <summary>Text in a colour, if there are colours.</summary>
    /// <param name="colour">One of <see cref="Colours"/>.</param>
    /// <param name="text">The text.</param>
    public void Paint(string colour, string text)
    {
        if (IsForPeople)
            _out.Write(colour);
        Out.Write(text);
        if (IsForPeople)
            _out.Write(Colours.None);
    }

    /// <summary>A line on the other stream that the next line replaces.</summary>
    public void Announce(string line)
    {
        _error.Write('\r');
        Error.Write(line);
        _error.Write("\e[K");
    }

    /// <summary>Clears the terminal, so that the next output replaces the earlier one.</summary>
    public void Clear()
    {
        if (IsForPeople)
            _out.Write("\e[H\e[2J\e[3J");
    }

    /// <summary>A writer of JSON onto the output. Dispose it before writing anything else.</summary>
    public Utf8JsonWriter Json(bool indented = false)
    {
        // Bytes and names of maps are for programs and terminals, never for HTML.
        return new Utf8JsonWriter(new TextStream(Out), new JsonWriterOptions { Indented = indented, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>A whole JSON value, indented, and a line end.</summary>
    public void Json(Action<Utf8JsonWriter> write)
    {
        using (var json = Json(indented: true))
            write(json);
        EndLine();
    }

    /// <summary>Ends the line after JSON.</summary>
    public void EndLine() => Out.Write('\n');

    public void Flush()
    {
        _out.Flush();
        _stream.Flush();
    }

    public void Dispose() => FlushIfRead();

    /// <summary>The same, without a failure if the reader of the pipe has left.</summary>
    public void FlushIfRead()
    {
        try
        {
            Flush();
        }
        catch (IOException)
        {
            // There is nobody to inform.
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
