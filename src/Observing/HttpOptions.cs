using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;

namespace Maplog.Observing;

/// <summary>The address at which a daemon answers an operator. Section <c>Maplog:Http</c>.</summary>
public sealed class HttpOptions : IValidatableObject
{
    public const string Section = "Maplog:Http";

    /// <summary>
    /// Address and port of <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c>: <c>127.0.0.1:9464</c>, <c>[::1]:9464</c>,
    /// <c>localhost:9464</c>, or <c>*:9464</c> for all addresses of the host. Plain HTTP without a login. Default: none, because two
    /// daemons on one host are common, and a port must not be open unless somebody asked for it.
    /// </summary>
    public string? Address { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!string.IsNullOrEmpty(Address) && EndPoint is null)
            yield return new ValidationResult($"'{Address}' is not an address to listen on: write it as 127.0.0.1:9464, [::1]:9464, localhost:9464 or *:9464.", [nameof(Address)]);
    }

    /// <summary>The same as a socket address; null: nothing listens, or the address is wrong.</summary>
    public IPEndPoint? EndPoint
    {
        get
        {
            var colon = Address?.LastIndexOf(':') ?? -1;
            if (colon < 0 || !ushort.TryParse(Address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
                return null;
            return Address![..colon] switch
            {
                "*" => new IPEndPoint(IPAddress.IPv6Any, port),
                "localhost" => new IPEndPoint(IPAddress.Loopback, port),
                // An IPv6 address is in brackets: its own colons do not separate the port.
                ['[', .. var inner, ']'] when IPAddress.TryParse(inner, out var address) && inner.Contains(':', StringComparison.Ordinal) => new IPEndPoint(address, port),
                var text when IPAddress.TryParse(text, out var address) && text.Count(c => c == '.') == 3 => new IPEndPoint(address, port),
                _ => null,
            };
        }
    }
}
