-- What the log's unique index costs by the order of its columns and by the database's collation, in inserts alone: 256 streams,
-- 256 events of each in turn.
--
--   createdb --template template0 --lc-collate C plain; createdb --template template0 --lc-collate en_US.utf8 ruled
--   psql -v columns='stream, version, tenant' -f tests/Costs/event_index.sql plain    -- as it is
--   psql -v columns='tenant, stream, version' -f tests/Costs/event_index.sql plain    -- as Marten makes it
--   psql -v columns='stream, version, tenant' -f tests/Costs/event_index.sql ruled
create temporary table events (seq bigint, tenant varchar, stream varchar, version bigint, data bytea);
create unique index on events (:columns);
create function pg_temp.fill(first int, last int) returns void language sql as $$
    insert into events select i, 'lb-1', 'lb-1/ct_map_' || (i / 256) % 256, i / 65536 * 256 + i % 256, '\x00'::bytea from generate_series(first, last) i
$$;
select pg_temp.fill(0, 400000);
\timing on
select pg_temp.fill(400001, 2400000);
select pg_temp.fill(2400001, 4400000);
reindex table events; -- what migrations/0008_event_index.sql takes, for 4,400,000
