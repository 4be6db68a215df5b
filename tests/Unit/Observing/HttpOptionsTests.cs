using System.ComponentModel.DataAnnotations;
using System.Net;
using Maplog.Observing;
using Xunit;

namespace Maplog.Tests.Unit.Observing;

public sealed class HttpOptionsTests
{
    [Theory]
    [InlineData("127.0.0.1:9464", "127.0.0.1:9464")]
    [InlineData("0.0.0.0:1", "0.0.0.0:1")]
    [InlineData("[::1]:9464", "[::1]:9464")]
    [InlineData("localhost:9464", "127.0.0.1:9464")]
    [InlineData("*:9464", "[::]:9464")]
    public void An_address_with_a_port_is_where_it_listens(string address, string place)
    {
        var options = new HttpOptions { Address = address };
        Assert.Empty(Mistakes(options));
        Assert.Equal(IPEndPoint.Parse(place), options.EndPoint);
    }

    [Theory]
    [InlineData("9464")]
    [InlineData(":9464")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:0")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.1:9464")]
    [InlineData("::1:9464")]
    [InlineData("db:9464")]
    [InlineData("http://127.0.0.1:9464")]
    public void What_is_no_address_is_refused_with_examples(string address)
    {
        var mistake = Assert.Single(Mistakes(new HttpOptions { Address = address }));
        Assert.Contains($"'{address}' is not an address to listen on: write it as 127.0.0.1:9464", mistake.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_listens_unless_it_is_asked_for()
    {
        Assert.Empty(Mistakes(new HttpOptions()));
        Assert.Null(new HttpOptions().EndPoint);
    }

    [Theory]
    [InlineData("otel:4317", 1)]
    [InlineData("http://otel:4317", 0)]
    [InlineData("https://otel:4318/v1/metrics", 0)]
    public void A_collector_has_a_whole_address(string endpoint, int mistakes)
    {
        var options = new OtlpOptions { Endpoint = new Uri(endpoint, UriKind.RelativeOrAbsolute) };
        Assert.Equal(mistakes, options.Validate(new ValidationContext(options)).Count());
    }

    private static IEnumerable<ValidationResult> Mistakes(HttpOptions options) => options.Validate(new ValidationContext(options));
}
