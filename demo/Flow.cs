using System.Buffers.Binary;
using System.Net;

namespace Maplog.Demo;

/// <summary>Keys and values of the connection table, as traffic.bpf.c lays them out: 24 and 64 bytes.</summary>
internal static class Flow
{
    public const int KeySize = 24;
    public const int ValueSize = 64;

    private const byte Tcp = 6;

    /// <param name="client">Address, host byte order.</param>
    /// <param name="clientPort">Its port.</param>
    /// <param name="server">Address, host byte order.</param>
    public static byte[] Key(uint client, ushort clientPort, uint server)
    {
        var key = new byte[KeySize];
        BinaryPrimitives.WriteUInt32BigEndian(key, client);
        BinaryPrimitives.WriteUInt32BigEndian(key.AsSpan(4), server);
        BinaryPrimitives.WriteUInt16BigEndian(key.AsSpan(8), clientPort);
        BinaryPrimitives.WriteUInt16BigEndian(key.AsSpan(10), 443);
        key[12] = Tcp;
        return key;
    }

    /// <summary>A connection with so many packets.</summary>
    public static byte[] Value(long packets)
    {
        var value = new byte[ValueSize];
        BinaryPrimitives.WriteInt64LittleEndian(value, packets);
        BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(8), packets * 1500);
        new IPAddress([172, 16, 0, 1]).TryWriteBytes(value.AsSpan(32), out _);
        BinaryPrimitives.WriteUInt16BigEndian(value.AsSpan(36), 8443);
        value[38] = 1;
        return value;
    }
}
