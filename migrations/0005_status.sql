-- How the replicas stand: what each replicator reports every two seconds, for `maplog status` and for dashboards. It is no
-- part of the history: a row says what is now, and nothing depends on it.

create table maplog.replicas (
    source text not null,
    map text not null,
    node text not null,
    pin text not null,
    instance uuid not null,             -- one run of the replicator
    map_id bigint not null,             -- the kernel's; 0: it has no map yet
    boot_id text not null,
    epoch integer not null,             -- of the last event in the map
    version bigint not null,            -- last version in the map
    head bigint not null,               -- the stream's, as far as the replica has heard
    lag_versions bigint,                -- null: it has not heard the head yet
    lag_seconds double precision,       -- how long behind, or without word of the head
    state text not null,                -- waiting, building, catching-up, following, polling, refused, stopped
    state_since timestamptz not null,
    trouble text,                       -- why it is not ready; null: it is, within the bound that its replicator has
    from_log bigint not null,           -- events taken since started_at
    from_bus bigint not null,
    repaired bigint not null,           -- entries put right since started_at
    started_at timestamptz not null,    -- times are by this server's clock
    seen_at timestamptz not null,
    primary key (source, map, node, pin)
) with (fillfactor = 50); -- updated in place, again and again

-- Whoever may read the log may say that it keeps a replica of it: a replicator needs no more than maplog_reader. It can say
-- so in this table only, for no time but now.
create function maplog.report_replicas(node text, instance uuid, replicas jsonb) returns void
    language sql security definer set search_path = maplog, pg_temp as $$
    insert into maplog.replicas as known (
        source, map, node, pin, instance, map_id, boot_id, epoch, version, head, lag_versions, lag_seconds,
        state, state_since, trouble, from_log, from_bus, repaired, started_at, seen_at)
    select r.source, r.map, report_replicas.node, r.pin, report_replicas.instance, r.map_id, r.boot_id, r.epoch, r.version, r.head, r.lag_versions, r.lag_seconds,
        r.state, now(), r.trouble, r.from_log, r.from_bus, r.repaired, now(), now()
    from jsonb_to_recordset(report_replicas.replicas) as r(
        source text, map text, pin text, map_id bigint, boot_id text, epoch integer, version bigint, head bigint, lag_versions bigint, lag_seconds double precision,
        state text, trouble text, from_log bigint, from_bus bigint, repaired bigint)
    on conflict (source, map, node, pin) do update set
        instance = excluded.instance, map_id = excluded.map_id, boot_id = excluded.boot_id, epoch = excluded.epoch, version = excluded.version, head = excluded.head,
        lag_versions = excluded.lag_versions, lag_seconds = excluded.lag_seconds, state = excluded.state,
        state_since = case when known.state = excluded.state and known.instance = excluded.instance then known.state_since else excluded.state_since end,
        trouble = excluded.trouble, from_log = excluded.from_log, from_bus = excluded.from_bus, repaired = excluded.repaired,
        started_at = case when known.instance = excluded.instance then known.started_at else excluded.started_at end,
        seen_at = excluded.seen_at
$$;

-- After an orderly stop.
create function maplog.withdraw_replicas(node text, instance uuid) returns void
    language sql security definer set search_path = maplog, pg_temp as $$
    delete from maplog.replicas r where r.node = withdraw_replicas.node and r.instance = withdraw_replicas.instance
$$;

-- Of a host that will not come back: what has not reported for a while. An operator's.
create function maplog.forget_replicas(node text, silent_for interval default interval '10 seconds') returns bigint
    language sql set search_path = maplog, pg_temp as $$
    with gone as (delete from maplog.replicas r where r.node = forget_replicas.node and r.seen_at < now() - silent_for returning 1)
    select count(*) from gone
$$;

-- The new table's grants.
select maplog.secure();
