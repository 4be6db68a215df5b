using System.ComponentModel.DataAnnotations;
using Maplog.Configuration;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Maplog.Tests.Unit.Configuration;

public class SettingsTests
{
    [Fact]
    public void Values_come_from_their_section_and_the_rest_keeps_its_default()
    {
        var (options, mistakes) = Read(("A:Count", "7"), ("A:Wait", "00:00:05"), ("A:Items:0:Name", "x"), ("A:Items:1:Name", "y"), ("A:Words:0", "one"));
        Assert.Empty(mistakes);
        Assert.Equal((7, TimeSpan.FromSeconds(5), "x y", "one"), (options.Count, options.Wait, string.Join(' ', options.Items.Select(i => i.Name)), options.Words.Single()));
        Assert.Equal(Colour.Red, options.Colour);
    }

    [Fact]
    public void Every_mistake_is_told_at_once_each_with_its_setting()
    {
        var (_, mistakes) = Read(("A:Count", "many"), ("A:Colour", "Pink"), ("A:Wait", "soon"), ("A:Typo", "1"), ("A:Items:0:Name", ""), ("A:Items:0:Nmae", "x"));
        Assert.Equal(["A:Colour", "A:Count", "A:Items:0:Name", "A:Items:0:Nmae", "A:Typo", "A:Wait"], mistakes.Select(m => m.Split(": ")[0]).Order(StringComparer.Ordinal));
        Assert.Contains(mistakes, m => m.Contains("one of Red, Green", StringComparison.Ordinal));
        Assert.Contains(mistakes, m => m.Contains("there is no such setting", StringComparison.Ordinal));
    }

    [Fact]
    public void A_value_that_does_not_parse_is_one_mistake_not_two()
    {
        var (_, mistakes) = Read(("A:Count", "-"));
        Assert.Equal(["A:Count: '-' is not a whole number in range."], mistakes);
    }

    [Fact]
    public void A_duration_without_a_unit_is_refused_instead_of_being_days()
    {
        Assert.Equal(TimeSpan.FromSeconds(10), Read(("A:Count", "1"), ("A:Wait", "10s")).Options.Wait);
        Assert.Equal(
            ["A:Wait: '1' has no unit: write 1s for seconds, 1m for minutes, or hours:minutes:seconds."],
            Read(("A:Count", "1"), ("A:Wait", "1")).Mistakes);
        Assert.Contains("10s, 5m", Assert.Single(Read(("A:Count", "1"), ("A:Wait", "soon")).Mistakes), StringComparison.Ordinal);
    }

    private static (Options Options, IReadOnlyList<string> Mistakes) Read(params (string Key, string Value)[] values)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(values.Select(v => KeyValuePair.Create(v.Key, (string?)v.Value))).Build();
        var settings = new Settings(configuration);
        return (settings.Read<Options>("A"), settings.Mistakes);
    }

    private enum Colour
    {
        Red,
        Green,
    }

    private sealed class Options : IValidatableObject
    {
        public int Count { get; set; }

        public TimeSpan Wait { get; set; }

        public Colour Colour { get; set; }

        public List<Item> Items { get; set; } = [];

        public List<string> Words { get; set; } = [];

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        {
            if (Count == 0)
                yield return new ValidationResult("it is missing.", [nameof(Count)]);
        }
    }

    private sealed class Item : IValidatableObject
    {
        public string Name { get; set; } = "";

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        {
            if (Name.Length == 0)
                yield return new ValidationResult("it is missing.", [nameof(Name)]);
        }
    }
}
