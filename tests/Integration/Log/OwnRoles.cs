using Maplog.Servers;

namespace Maplog.Tests.Integration.Log;

/// <summary>A server whose roles, which all of its databases share, are the tests' own.</summary>
public sealed class OwnRoles : TestPostgres;
