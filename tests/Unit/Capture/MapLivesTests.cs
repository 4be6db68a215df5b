using Maplog.Capture.Watching;
using Maplog.Events;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class MapLivesTests
{
    [Fact]
    public void Of_hundreds_of_maps_of_one_stream_in_a_minute_few_lines_are_written()
    {
        var log = new CountingLog();
        var lives = new MapLives(log);
        for (uint id = 0; id < 500; id++)
            lives.Waits(id, new StreamName("lb-1", "ct_map"), 1);
        Assert.Equal(20, log.Lines);
    }

    [Fact]
    public void Hundreds_of_streams_that_begin_in_a_minute_have_a_line_each()
    {
        var log = new CountingLog();
        var lives = new MapLives(log);
        for (uint id = 0; id < 500; id++)
            lives.Waits(id, new StreamName("lb-1", $"map_{id}"), 1);
        Assert.Equal(500, log.Lines);
    }

    private sealed class CountingLog : ILogger
    {
        public int Lines { get; private set; }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines++;
    }
}
