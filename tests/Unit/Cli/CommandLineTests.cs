using Maplog.Cli;
using Maplog.Cli.Output;
using Xunit;

namespace Maplog.Tests.Unit.Cli;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("maplog: Give a command after 'maplog': status, maps, dump, get, replay, history, diff, watch, describe, verify, verify-log, snapshot, prune, audit, doctor, source, migrate, promote, forget, detach, standby, completion. See 'maplog --help'.")]
    [InlineData("maplog: 'dmp' is not a command of maplog. Did you mean 'dump'? See 'maplog --help'.", "dmp", "lb-1/ct_map")]
    [InlineData("maplog: 'adx' is not a command of maplog source. Did you mean 'add'? See 'maplog source --help'.", "source", "adx")]
    [InlineData("maplog: --limit: 'ten' is not a whole number from 0 to 2147483647. See 'maplog dump --help'.", "dump", "lb-1/ct_map", "--limit", "ten")]
    [InlineData("maplog: Give STREAM after 'maplog dump'. See 'maplog dump --help'.", "dump")]
    [InlineData("maplog: --limit: the value is missing. See 'maplog dump --help'.", "dump", "lb-1/ct_map", "--limit")]
    [InlineData("maplog: --limit is given more than once. See 'maplog dump --help'.", "dump", "lb-1/ct_map", "--limit", "1", "--limit", "2")]
    [InlineData("maplog: --before is missing: 'maplog prune' needs it. See 'maplog prune --help'.", "prune")]
    [InlineData("maplog: '--limt' is not an option of 'maplog dump'. Did you mean '--limit'? See 'maplog dump --help'.", "dump", "lb-1/ct_map", "--limt")]
    [InlineData("maplog: 'Host=db;Password=***' is an extra word after 'maplog dump'. See 'maplog dump --help'.", "dump", "lb-1/ct_map", "Host=db;Password=secret")]
    [InlineData("maplog: 'amqp://***@mq/' is not a command of maplog source: add, list. See 'maplog source --help'.", "source", "amqp://maplog:secret@mq/")]
    [InlineData("maplog: --only: 'kernal' is not one of kernel, privileges, probes, log, bus. See 'maplog doctor --help'.", "doctor", "--only", "kernal")]
    [InlineData("maplog: SHELL: 'tcsh' is not one of bash, zsh, fish. See 'maplog completion --help'.", "completion", "tcsh")]
    [InlineData("maplog: N: 'first' is not a whole number in range. See 'maplog standby rank --help'.", "standby", "rank", "web", "a", "first")]
    [InlineData("maplog: --json and --csv are two formats: give only one of them.", "maps", "--json", "--csv")]
    [InlineData("maplog: --every needs --watch: give --watch too.", "status", "--every", "5")]
    [InlineData("maplog: --wait: 'soon' is not a duration from 0s to 86400s: write a number of seconds, or a number with its unit, as 10s or 5m. See 'maplog verify --help'.", "verify", "lb-1/ct_map", "ct_map", "--wait", "soon")]
    [InlineData("maplog: --within: '0s' is not a duration from 1s to 86400s: write a number of seconds, or a number with its unit, as 10s or 5m. See 'maplog promote --help'.", "promote", "lb-1", "--within", "0s")]
    [InlineData("maplog: 'amqp://***@mq/' is not a source name: use 1 to 48 of a-z, 0-9, '-' and '_', beginning with a letter or digit.", "detach", "amqp://maplog:secret@mq/")]
    [InlineData("maplog: 'Lb' is not a source name: use 1 to 48 of a-z, 0-9, '-' and '_', beginning with a letter or digit.", "detach", "Lb")]
    public async Task A_wrong_command_line_is_a_sentence_and_code_2(string sentence, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Equal(sentence, error.TrimEnd());
    }

    [Fact]
    public async Task Every_wrong_setting_is_named_at_once()
    {
        var (code, _, error) = await RunAsync("maps", "--log", "Hst=db", "--schema", "X Y");
        Assert.Equal(2, code);
        var lines = error.TrimEnd().Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("maplog: Maplog:Log:ConnectionString: ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("maplog: Maplog:Log:Schema: ", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_setting_does_not_hide_a_wrong_one()
    {
        var (code, _, error) = await RunAsync("maps", "--schema", "X Y");
        Assert.Equal(2, code);
        Assert.Contains("Maplog:Log:ConnectionString: give", error, StringComparison.Ordinal);
        Assert.Contains("Maplog:Log:Schema: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_settings_file_that_is_not_there_is_named()
    {
        var (code, _, error) = await RunAsync("maps", "--config", "/nowhere/maplog.json");
        Assert.Equal(2, code);
        Assert.Contains("/nowhere/maplog.json", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_ends_with_examples()
    {
        var (code, output, error) = await RunAsync("dump", "--help");
        Assert.Equal(0, code);
        Assert.Empty(error);
        Assert.Contains("Examples:\n  maplog dump lb-1/ct_map\n", output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new MemoryStream();
        await using var error = new StringWriter();
        int code;
        using (var terminal = new Terminal(output, error, isForPeople: false))
            code = await CommandTree.RunAsync(arguments, terminal, TestContext.Current.CancellationToken);
        return (code, System.Text.Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
