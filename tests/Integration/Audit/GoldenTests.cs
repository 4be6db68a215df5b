using Maplog.Servers;
using Maplog.Tests.Integration.Replicating;
using Xunit;

namespace Maplog.Tests.Integration.Audit;

public sealed class GoldenTests(TestPostgres postgres)
{
    [Fact]
    public async Task While_a_history_is_recorded_the_model_SQL_the_command_and_a_replica_agree()
    {
        HistoryReplica? replica = null;
        ReplicatorProcess? replicator = null;
        var looks = 0;
        try
        {
            await using var history = await RecordedHistory.MakeAsync(postgres, seed: 11, sealEvery: 250, committed: async recorded =>
            {
                replica ??= new HistoryReplica(recorded);
                replicator ??= replica.Start();
                var head = recorded.Model.Count - 1;
                var model = recorded.Model[head]!;
                Assert.Equal(model, await replica.HoldsAsync(replicator, head));
                Assert.Equal(model, await recorded.ReplayAsync());
                Assert.Equal(model, await recorded.QueryStateAsync(head));
                if (++looks % 2 == 0)
                    Assert.Equal(0, (await recorded.RunAsync("snapshot", "lb-1/ct_map")).Code);
            });
            Assert.True(looks >= 6, $"{looks} looks");
            Assert.Equal(0, await replicator!.StopAsync());
        }
        finally
        {
            replicator?.Dispose();
            replica?.Dispose();
        }
    }
}
