// One world has all servers and daemons of a run.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
