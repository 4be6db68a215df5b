using System.Text;
using Maplog.Configuration;

namespace Maplog.Cli.Output;

/// <summary>A writer that lets no text through that could control the terminal: see <see cref="SafeText"/>.</summary>
internal sealed class SafeWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Write([value]);

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(ReadOnlySpan<char> buffer)
    {
        if (SafeText.IsSafe(buffer, keepLines: true))
            inner.Write(buffer);
        else
            inner.Write(SafeText.Lines(buffer.ToString()));
    }

    public override void WriteLine(string? value)
    {
        Write(value.AsSpan());
        inner.Write('\n');
    }

    public override void Flush() => inner.Flush();
}
