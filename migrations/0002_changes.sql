-- What a change says, read from its binary payload (big-endian, see ChangePayload): plain SQL functions, which Postgres
-- inlines into the query that calls them. Each reads by substring, so that of a large value only the piece is fetched.
--
-- offset size
--      0    1  layout, 1
--      1    1  origin
--      2    2  cpu
--      4    4  tgid
--      8    4  epoch
--     12    4  record index
--     16    8  kernel time, ns since boot
--     24    8  ring position, or -1
--     32    4  key size K
--     36    1  comm size C
--     37    C  comm, then K bytes of key, then the value

create function maplog.change_origin(payload bytea) returns text
    language sql immutable parallel safe
    return (array['unknown', 'program', 'syscall', 'eviction', 'scan', 'read-back'])[get_byte(substring(payload from 2 for 1), 0) + 1];

create function maplog.change_cpu(payload bytea) returns integer
    language sql immutable parallel safe
    return ('x' || encode(substring(payload from 3 for 2), 'hex'))::bit(16)::integer;

create function maplog.change_tgid(payload bytea) returns bigint
    language sql immutable parallel safe
    return ('x' || encode(substring(payload from 5 for 4), 'hex'))::bit(32)::bigint;

create function maplog.change_epoch(payload bytea) returns integer
    language sql immutable parallel safe
    return ('x' || encode(substring(payload from 9 for 4), 'hex'))::bit(32)::integer;

create function maplog.change_record_index(payload bytea) returns bigint
    language sql immutable parallel safe
    return ('x' || encode(substring(payload from 13 for 4), 'hex'))::bit(32)::bigint;

create function maplog.change_kernel_time(payload bytea) returns bigint
    language sql immutable parallel safe
    return ('x' || encode(substring(payload from 17 for 8), 'hex'))::bit(64)::bigint;

create function maplog.change_ring_position(payload bytea) returns bigint
    language sql immutable parallel safe
    return ('x' || encode(substring(payload from 25 for 8), 'hex'))::bit(64)::bigint;

create function maplog.change_key_size(payload bytea) returns integer
    language sql immutable parallel safe
    return ('x' || encode(substring(payload from 33 for 4), 'hex'))::bit(32)::integer;

-- 'escape', because a process may call itself by bytes that are no text.
create function maplog.change_comm(payload bytea) returns text
    language sql immutable parallel safe
    return encode(substring(payload from 38 for get_byte(substring(payload from 37 for 1), 0)), 'escape');

create function maplog.change_key(payload bytea) returns bytea
    language sql immutable parallel safe
    return substring(payload from 38 + get_byte(substring(payload from 37 for 1), 0) for maplog.change_key_size(payload));

create function maplog.change_value(payload bytea) returns bytea
    language sql immutable parallel safe
    return substring(payload from 38 + get_byte(substring(payload from 37 for 1), 0) + maplog.change_key_size(payload));

-- One row per change. To read one stream, name its source too (that is the index), or use changes_of.
create view maplog.changes as
select tenant_id as source,
       stream_id as stream,
       version,
       timestamp as at,
       substring(type from 7) as kind,
       maplog.change_key(bdata) as key,
       case when type in ('entry_added', 'entry_updated') then maplog.change_value(bdata) end as value,
       maplog.change_origin(bdata) as origin,
       maplog.change_comm(bdata) as comm,
       maplog.change_tgid(bdata) as tgid,
       maplog.change_cpu(bdata) as cpu,
       maplog.change_epoch(bdata) as epoch,
       maplog.change_kernel_time(bdata) as kernel_time,
       maplog.change_ring_position(bdata) as ring_position,
       maplog.change_record_index(bdata) as record_index
from maplog.mt_events
where bdata is not null;

-- All that is said about a stream beside its changes: map_opened, map_moved, epoch_started, gap_found, sealed, map_closed.
create view maplog.notes as
select tenant_id as source,
       stream_id as stream,
       version,
       timestamp as at,
       type as kind,
       data as note
from maplog.mt_events
where bdata is null;

-- The changes of one stream, by its index: select * from maplog.changes_of('lb-1/ct_map') order by version desc limit 20
create function maplog.changes_of(stream text) returns setof maplog.changes
    language sql stable parallel safe
    as $$ select * from maplog.changes c where c.source = split_part(changes_of.stream, '/', 1) and c.stream = changes_of.stream $$;

-- Time: 0.1% of what a btree would cost. Summarised as pages fill, or the newest hours would always be scanned.
create index maplog_events_time on maplog.mt_events using brin (timestamp) with (autosummarize = on);

-- The notes alone, a few in a million: a change pays for the look at bdata only.
create index maplog_notes on maplog.mt_events (tenant_id, type, stream_id, version) where bdata is null;
