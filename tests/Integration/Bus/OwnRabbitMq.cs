using Maplog.Servers;

namespace Maplog.Tests.Integration.Bus;

/// <summary>Another one than the assembly shares.</summary>
public sealed class OwnRabbitMq : TestRabbitMq;
