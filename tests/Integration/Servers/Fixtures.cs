using Maplog.Servers;
using Xunit;

// One of each for the whole assembly; they start when the first test asks. A test that stops or restarts a server takes one of its own.
[assembly: AssemblyFixture(typeof(TestPostgres))]
[assembly: AssemblyFixture(typeof(TestRabbitMq))]
