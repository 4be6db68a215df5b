using Maplog.Capture.Watching;
using Maplog.Events;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class MapLivesTests
{
    [Fact]
    public void Of_hundreds_of_maps_in_a_minute_so_many_lines_are_written()
    {
        var log = new CountingLog();
        var lives = new MapLives(log);
        for (uint id = 0; id < 500; id++)
            lives.Waits(id, new StreamName("lb-1", "ct_map"), 1);
        Assert.Equal(60, log.Lines);
    }

    private sealed class CountingLog : ILogger
    {
        public int Lines { get; private set; }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines++;
    }
}
