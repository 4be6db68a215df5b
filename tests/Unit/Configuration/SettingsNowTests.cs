using Maplog.Configuration;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Maplog.Tests.Unit.Configuration;

public sealed class SettingsNowTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    [Fact]
    public void A_setting_is_what_its_file_has_now_and_what_comes_later_wins()
    {
        Write("""{ "A": { "B": "first", "C": "file" } }""");
        var configuration = new ConfigurationManager();
        configuration.AddJsonFile(_file, optional: false).AddInMemoryCollection([KeyValuePair.Create("A:C", (string?)"line")]);
        var now = new SettingsNow(((IConfigurationBuilder)configuration).Sources);
        Assert.Equal(("first", "line", null), (now.Find("A:B"), now.Find("A:C"), now.Find("A:D")));

        Write("""{ "A": { "B": "second" } }""");
        Assert.Equal(("second", "first"), (now.Find("A:B"), configuration["A:B"]));
        Write("""{ "A": { "B": """);
        Assert.Null(now.Find("A:B"));
        File.Delete(_file);
        Assert.Null(now.Find("A:B"));
    }

    public void Dispose() => File.Delete(_file);

    private void Write(string text) => File.WriteAllText(_file, text);
}
