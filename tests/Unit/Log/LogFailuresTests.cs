using System.Net.Sockets;
using Maplog.Log;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Unit.Log;

/// <summary>Which failures a daemon waits for.</summary>
public sealed class LogFailuresTests
{
    [Theory]
    [InlineData("08000", "ERROR", FailureKind.Passing)]
    [InlineData("08003", "FATAL", FailureKind.Passing)]
    [InlineData("08006", "FATAL", FailureKind.Passing)]
    [InlineData("08P01", "FATAL", FailureKind.Passing)] // pgbouncer: server_login_retry, no such user
    [InlineData("08P01", "ERROR", FailureKind.Passing)] // pgbouncer: server conn crashed?
    [InlineData("25006", "ERROR", FailureKind.Passing)]
    [InlineData("25P03", "FATAL", FailureKind.Passing)]
    [InlineData("25P04", "FATAL", FailureKind.Passing)]
    [InlineData("26000", "ERROR", FailureKind.Passing)]
    [InlineData("42P05", "ERROR", FailureKind.Passing)]
    [InlineData("0A000", "ERROR", FailureKind.Passing)]
    [InlineData("40001", "ERROR", FailureKind.Passing)]
    [InlineData("40P01", "ERROR", FailureKind.Passing)]
    [InlineData("53100", "ERROR", FailureKind.Passing)]
    [InlineData("53200", "ERROR", FailureKind.Passing)]
    [InlineData("53300", "FATAL", FailureKind.Passing)]
    [InlineData("53400", "FATAL", FailureKind.Passing)]
    [InlineData("55000", "FATAL", FailureKind.Passing)]
    [InlineData("55006", "ERROR", FailureKind.Passing)]
    [InlineData("55P03", "ERROR", FailureKind.Passing)]
    [InlineData("57014", "ERROR", FailureKind.Passing)]
    [InlineData("57P01", "FATAL", FailureKind.Passing)]
    [InlineData("57P02", "FATAL", FailureKind.Passing)]
    [InlineData("57P03", "FATAL", FailureKind.Passing)]
    [InlineData("57P05", "FATAL", FailureKind.Passing)]
    [InlineData("58030", "ERROR", FailureKind.Passing)]
    [InlineData("F0000", "FATAL", FailureKind.Passing)]
    [InlineData("XX000", "FATAL", FailureKind.Passing)]
    [InlineData("XX000", "PANIC", FailureKind.Passing)]
    [InlineData("28000", "FATAL", FailureKind.Mendable)]
    [InlineData("28P01", "FATAL", FailureKind.Mendable)]
    [InlineData("3D000", "FATAL", FailureKind.Mendable)]
    [InlineData("3F000", "ERROR", FailureKind.Mendable)]
    [InlineData("42501", "ERROR", FailureKind.Mendable)]
    [InlineData("42P01", "ERROR", FailureKind.Mendable)]
    [InlineData("42703", "ERROR", FailureKind.Mendable)]
    [InlineData("42704", "ERROR", FailureKind.Mendable)]
    [InlineData("42883", "ERROR", FailureKind.Mendable)]
    [InlineData("57P04", "FATAL", FailureKind.Mendable)]
    [InlineData("XX000", "ERROR", FailureKind.Mendable)]
    [InlineData("XX001", "ERROR", FailureKind.Mendable)]
    [InlineData("22003", "ERROR", FailureKind.Lasting)]
    [InlineData("23505", "ERROR", FailureKind.Lasting)]
    [InlineData("42601", "ERROR", FailureKind.Lasting)]
    [InlineData("P0001", "ERROR", FailureKind.Lasting)]
    public void An_answer_of_the_server_is_judged_by_its_state(string state, string severity, FailureKind kind)
    {
        var answer = new PostgresException("said", severity, severity, state);
        Assert.Equal(kind, LogFailures.KindOf(answer));
        Assert.Equal(kind, LogFailures.KindOf(new InvalidOperationException("Marten's", answer)));
    }

    [Fact]
    public void A_server_that_does_not_answer_is_waited_for()
    {
        Exception[] away =
        [
            new SocketException((int)SocketError.ConnectionRefused),
            new NpgsqlException("Failed to connect", new SocketException((int)SocketError.HostNotFound)),
            new NpgsqlException("Exception while reading from stream", new IOException("reset")),
            new NpgsqlException("The operation has timed out", new TimeoutException()),
            new NpgsqlException("No suitable host was found."),
        ];
        Assert.All(away, failure => Assert.Equal(FailureKind.Passing, LogFailures.KindOf(failure)));
    }

    [Fact]
    public void A_session_that_cannot_begin_for_want_of_a_password_or_a_certificate_can_be_mended()
    {
        Exception[] refused = [new NpgsqlException("No password has been provided but the backend requires one"), new FileNotFoundException("root.crt")];
        Assert.All(refused, failure => Assert.Equal(FailureKind.Mendable, LogFailures.KindOf(failure)));
    }

    [Fact]
    public void Of_several_hosts_the_one_that_may_come_back_soonest_decides()
    {
        var refusal = new PostgresException("password authentication failed", "FATAL", "FATAL", "28P01");
        var away = new NpgsqlException("Failed to connect to 127.0.0.1:1", new SocketException((int)SocketError.ConnectionRefused));
        Assert.Equal(FailureKind.Passing, LogFailures.KindOf(Several(refusal, away)));
        Assert.Equal(FailureKind.Mendable, LogFailures.KindOf(Several(refusal, refusal)));
        Assert.Same(refusal, LogFailures.AnswerIn(Several(refusal, away)));

        static NpgsqlException Several(params Exception[] each) => new("Unable to connect to a suitable host. Check inner exception for more details.", new AggregateException(each));
    }

    [Fact]
    public void A_fault_of_this_program_is_no_failure_of_the_server()
    {
        Assert.False(LogFailures.IsOfServer(new InvalidOperationException("Sequence contains no elements")));
        Assert.False(LogFailures.IsOfServer(new FormatException()));
        Assert.Equal(FailureKind.Lasting, LogFailures.KindOf(new FormatException()));
    }
}
