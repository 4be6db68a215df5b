using System.ComponentModel.DataAnnotations;
using RabbitMQ.Client;

namespace Maplog.Bus;

/// <summary>Where RabbitMQ is, and how much of it is used. The limits of queues are fixed when RabbitMQ makes the queue.</summary>
public sealed class BusOptions : IValidatableObject
{
    private Func<string?>? _uriNow;

    /// <summary><c>amqp://user:password@host:port/vhost</c>, or amqps for TLS. No default.</summary>
    public Uri? Uri { get; set; }

    /// <summary>How long one message may take to be confirmed before it is given up; replicas then read it from the log. Default: 2 seconds.</summary>
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a connection attempt may take. Default: 5 seconds.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of the largest message sent; larger blocks are left to the log. RabbitMQ refuses more than 16 MiB by itself (version 4). Default: 16 MiB.</summary>
    public int MaxMessageBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>Bytes a replicator's queue of a source holds; past it the oldest messages go, and its replicas read them from the log. Default: 256 MiB.</summary>
    public long QueueBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>How long a replicator's queue stays when nobody listens to it. Default: 1 day.</summary>
    public TimeSpan QueueExpiry { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Messages on the way to one subscription before the first of them is acknowledged. Default: 32.</summary>
    public int Prefetch { get; set; } = 32;

    /// <summary>Messages kept aside per replicator and source because they could not be read; past it the oldest go. Default: 100.</summary>
    public int BrokenMessages { get; set; } = 100;

    /// <summary>Has the address read again for each attempt to connect, so that a daemon needs no restart when the password is changed.</summary>
    /// <param name="uri">Gives <see cref="Uri"/> as the settings have it at the moment; null: it stays as it is.</param>
    public void ReadAgain(Func<string?> uri) => _uriNow = uri;

    // All of it here and nothing in attributes: the framework's validator would come here only when no attribute complains.
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Uri is null)
            yield return Wrong(nameof(Uri), "the address is missing: give the address of RabbitMQ, for example amqp://maplog:secret@localhost:5672/.");
        else if (UriMistake(Uri) is { } mistake)
            yield return Wrong(nameof(Uri), mistake);
        if (PublishTimeout < TimeSpan.FromMilliseconds(10) || PublishTimeout > TimeSpan.FromMinutes(5))
            yield return Wrong(nameof(PublishTimeout), $"{PublishTimeout} is out of range: use 00:00:00.010 to 00:05:00.");
        if (ConnectTimeout < TimeSpan.FromMilliseconds(100) || ConnectTimeout > TimeSpan.FromMinutes(5))
            yield return Wrong(nameof(ConnectTimeout), $"{ConnectTimeout} is out of range: use 00:00:00.100 to 00:05:00.");
        if (MaxMessageBytes is < 1024 or > 512 << 20)
            yield return Wrong(nameof(MaxMessageBytes), $"{MaxMessageBytes} is out of range: use 1024 to {512 << 20}.");
        if (QueueBytes is < 1 << 20 or > 1L << 40)
            yield return Wrong(nameof(QueueBytes), $"{QueueBytes} is out of range: use {1 << 20} (1 MiB) to {1L << 40} (1 TiB).");
        // RabbitMQ holds the expiry in milliseconds in 32 bits.
        if (QueueExpiry < TimeSpan.FromSeconds(10) || QueueExpiry > TimeSpan.FromDays(40))
            yield return Wrong(nameof(QueueExpiry), $"{QueueExpiry} is out of range: use 00:00:10 to 40.00:00:00.");
        if (Prefetch is < 1 or > 10_000)
            yield return Wrong(nameof(Prefetch), $"{Prefetch} is out of range: use 1 to 10000.");
        if (BrokenMessages is < 1 or > 100_000)
            yield return Wrong(nameof(BrokenMessages), $"{BrokenMessages} is out of range: use 1 to 100000.");
    }

    /// <summary>Every mistake at once.</summary>
    /// <exception cref="ValidationException">At least one setting is wrong; the message is a sentence for each.</exception>
    public void ThrowIfInvalid()
    {
        var mistakes = new List<ValidationResult>();
        if (!Validator.TryValidateObject(this, new ValidationContext(this), mistakes, validateAllProperties: true) || mistakes.Count > 0)
            throw new ValidationException(string.Join(" ", mistakes.Select(m => $"Maplog:Bus:{m.MemberNames.First()}: {m.ErrorMessage}")));
    }

    /// <summary>The address taken apart; with it the client's own reading of an AMQP address, its defaults included.</summary>
    internal ConnectionFactory ToFactory() => new()
    {
        Uri = Current(),
        RequestedConnectionTimeout = ConnectTimeout,
        AutomaticRecoveryEnabled = false,
        TopologyRecoveryEnabled = false,
    };

    // An address that cannot be read, as while somebody edits the file, is no address.
    private Uri Current() => Uri.TryCreate(_uriNow?.Invoke(), UriKind.Absolute, out var now) && UriMistake(now) is null ? now : Uri!;

    private static ValidationResult Wrong(string setting, string sentence) => new(sentence, [setting]);

    // In words of our own: the client's repeat the part that it could not read, which may be the password.
    private static string? UriMistake(Uri uri)
    {
        const string Form = "write it as amqp://user:password@host:port/vhost (amqps for TLS)";
        if (!uri.IsAbsoluteUri || uri.Scheme is not ("amqp" or "amqps") || uri.Host.Length == 0)
            return $"this is not an address of RabbitMQ: {Form}.";
        if (uri.Host.Contains(',', StringComparison.Ordinal))
            return $"it names several hosts: name one host, for example a balancer in front of them; {Form}.";
        if (uri.UserInfo.Split(':').Length > 2)
            return $"its user or password contains a ':', which must be written as %3A; {Form}.";
        if (uri.AbsolutePath.Split('/').Length > 2)
            return $"its virtual host contains a '/', which must be written as %2F; {Form}.";
        try
        {
            _ = new ConnectionFactory { Uri = uri };
            return null;
        }
        catch (ArgumentException)
        {
            return $"it cannot be read: {Form}.";
        }
    }
}
