namespace Maplog.Btf;

/// <summary>
/// What a word of a name says of an integer or array of the right size: <c>src_ip</c> is an address, <c>dport</c> a port. A guess.
/// </summary>
internal static class FieldNames
{
    private static readonly HashSet<string> Ports = ["port", "ports", "sport", "dport", "lport", "rport", "srcport", "dstport"];

    private static readonly HashSet<string> Addresses =
        ["addr", "address", "saddr", "daddr", "laddr", "raddr", "ip", "ip4", "ip6", "ipv4", "ipv6", "addr4", "addr6", "sip", "dip", "srcip", "dstip", "vip", "src", "dst", "source", "destination", "gateway", "nexthop"];

    private static readonly HashSet<string> Links = ["mac", "smac", "dmac", "eth", "ether", "hwaddr", "lladdr", "addr", "dest", "source", "src", "dst"];

    public static bool IsPort(string name) => Words(name) is [.., var last] && Ports.Contains(last);

    public static bool IsAddress(string name) => Words(name) is [.., var last] && Addresses.Contains(last);

    public static bool IsLink(string name) => Words(name).Any(Links.Contains);

    private static string[] Words(string name) => name.ToLowerInvariant().Split('_', StringSplitOptions.RemoveEmptyEntries);
}
