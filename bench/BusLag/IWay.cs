namespace Maplog.BusLag;

/// <summary>A way for blocks over RabbitMQ, from a publisher to one queue and its reader in this process.</summary>
internal interface IWay : IAsyncDisposable
{
    string Name { get; }

    /// <param name="server">Where RabbitMQ is.</param>
    /// <param name="arrived">Called with each block, in order of arrival.</param>
    Task OpenAsync(Uri server, Action<ReadOnlyMemory<byte>> arrived);

    /// <summary>Sends a block; returns when the next may be sent.</summary>
    Task SendAsync(ReadOnlyMemory<byte> block);
}
