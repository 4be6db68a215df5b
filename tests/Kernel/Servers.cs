using Maplog.Servers;

// For the tests that hold a map against a log; it starts when the first of them asks.
[assembly: AssemblyFixture(typeof(TestPostgres))]
