using Maplog.Servers;

// For the tests that hold a map against a log; they start when the first of them asks.
[assembly: AssemblyFixture(typeof(TestPostgres))]
[assembly: AssemblyFixture(typeof(TestRabbitMq))]
