using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Maplog.HotStandby;

/// <summary>An address and port of a group as the name of its folder: <c>tcp-7f000001-8080</c>, <c>udp-00000000-53</c>, IPv6 addresses with 32 digits.</summary>
internal static class EndpointName
{
    public static string Of(ProtocolType protocol, IPEndPoint endpoint) =>
        $"{(protocol == ProtocolType.Udp ? "udp" : "tcp")}-{Convert.ToHexStringLower(endpoint.Address.GetAddressBytes())}-{endpoint.Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>The readable form, <c>tcp 127.0.0.1:8080</c>; the name itself if it is not an endpoint.</summary>
    public static string ForPeople(string name)
    {
        if (name.Split('-') is not [var protocol, var hex, var port] || hex.Length is not (8 or 32) || !int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return name;
        return $"{protocol} {new IPEndPoint(new IPAddress(Convert.FromHexString(hex)), number)}";
    }
}
