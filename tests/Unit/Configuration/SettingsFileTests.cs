using Maplog.Configuration;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Maplog.Tests.Unit.Configuration;

public sealed class SettingsFileTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"maplog-settings-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void A_setting_of_a_wrong_type_is_told_with_its_file_and_line()
    {
        var mistakes = Mistakes("""
            {
              // what this node does
              "A": {
                "Count": "many",
                "Names": "ct_map",
                "Items": [ { "Size": 1 },
                  { "Size": { "of": 2 } } ],
                "Size": [1],
                "Typo": 1
              }
            }
            """);
        Assert.Equal(
            [
                $"A:Count: 'many' is not a whole number in range. It is set in {_file}, line 4.",
                $"A:Names: it is a list: write [\"...\"] in a file, and A:Names:0 elsewhere. It is set in {_file}, line 5.",
                $"A:Items:1:Size: it must be a whole number in range, but is a list or a section. It is set in {_file}, line 7.",
                $"A:Size: it must be a whole number in range, but is a list or a section. It is set in {_file}, line 8.",
                $"A:Typo: there is no such setting; A has Count, Size, Names, Items. It is set in {_file}, line 9.",
            ],
            mistakes.OrderBy(m => m[^2]));
    }

    [Fact]
    public void A_section_that_has_a_value_is_told() =>
        Assert.Equal([$"A: it is a section with its own settings (Count, Size, Names, Items), but has a value instead. It is set in {_file}, line 1."], Mistakes("""{ "A": "Host=db" }"""));

    [Fact]
    public void A_value_from_elsewhere_has_no_line()
    {
        File.WriteAllText(_file, """{ "A": { "Count": 1 } }""");
        var configuration = new ConfigurationBuilder().AddJsonFile(_file).AddInMemoryCollection([KeyValuePair.Create("A:Count", (string?)"many")]).Build();
        var settings = new Settings(configuration);
        settings.Read<Options>("A");
        Assert.Equal(["A:Count: 'many' is not a whole number in range."], settings.Mistakes);
    }

    [Theory]
    [InlineData("{\n  \"A\": 1\n  \"B\": 2\n}", "line 3, column 3")]
    [InlineData("{\n  \"A\": \n", "line 3, column")]
    [InlineData("{ \"A\": 1, \"a\": 2 }", "twice")]
    public void A_file_that_cannot_be_read_is_told_with_the_place(string json, string place)
    {
        File.WriteAllText(_file, json);
        var failure = Assert.ThrowsAny<Exception>(() => new ConfigurationBuilder().AddJsonFile(_file).Build());
        Assert.True(SettingsFile.Explains(failure));
        Assert.Contains(_file, SettingsFile.Explain(failure), StringComparison.Ordinal);
        Assert.Contains(place, SettingsFile.Explain(failure), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_told()
    {
        var failure = Assert.ThrowsAny<Exception>(() => new ConfigurationBuilder().AddJsonFile("/nowhere/maplog.json").Build());
        Assert.Equal("The settings file /nowhere/maplog.json does not exist.", SettingsFile.Explain(failure));
    }

    private IReadOnlyList<string> Mistakes(string json)
    {
        File.WriteAllText(_file, json);
        var settings = new Settings(new ConfigurationBuilder().AddJsonFile(_file).Build());
        settings.Read<Options>("A");
        return settings.Mistakes;
    }

    private sealed class Options
    {
        public int Count { get; set; }

        public int Size { get; set; }

        public List<string> Names { get; set; } = [];

        public List<Item> Items { get; set; } = [];
    }

    private sealed class Item
    {
        public int Size { get; set; }
    }
}
