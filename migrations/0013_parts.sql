-- A change of a per-CPU map may carry only the parts of the value that it changed (payload layout 2, see CpuParts): the views merge
-- them with the events of the same key before it, as far back as one that carries the whole value (one of 32 does).
--
-- After the key: part size S (2), then for each part its CPU (2) and its value (S).

-- The value that a change carries; null: it carries parts, ask maplog.value_of.
create or replace function maplog.change_value(payload bytea) returns bytea
    language sql immutable parallel safe
    return case when get_byte(substring(payload from 1 for 1), 0) = 1
        then substring(payload from 38 + get_byte(substring(payload from 37 for 1), 0) + maplog.change_key_size(payload)) end;

-- The parts that a change carries; null: it carries the whole value, or none.
create function maplog.change_parts(payload bytea) returns bytea
    language sql immutable parallel safe
    return case when get_byte(substring(payload from 1 for 1), 0) = 2
        then substring(payload from 38 + get_byte(substring(payload from 37 for 1), 0) + maplog.change_key_size(payload)) end;

-- A whole value with parts of it replaced.
create function maplog.put_parts(value bytea, parts bytea) returns bytea
    language plpgsql immutable strict parallel safe as $$
declare
    size integer := (get_byte(parts, 0) << 8) | get_byte(parts, 1);
    place integer := 2;
begin
    while place < octet_length(parts) loop
        value := overlay(value placing substring(parts from place + 3 for size)
            from ((get_byte(parts, place) << 8) | get_byte(parts, place + 1)) * size + 1 for size);
        place := place + 2 + size;
    end loop;
    return value;
end $$;

-- The whole value after a change, whatever the change carries. Where pruned history begins, with the snapshot that is left of it.
-- Whoever reads the changes reads nothing else by it; the index of keys, which it goes by, takes another role.
create function maplog.value_of(source text, stream text, version bigint, payload bytea) returns bytea
    language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp
    -- The events come in the order of an index, and few of them are wanted.
    set enable_seqscan = off set enable_sort = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    wanted bytea;
    opened bigint;
    indexed audit.indexed_streams;
    layers bytea[];
    told bytea;
    whole bytea;
    -- What the index of keys does not have yet, and what it has.
    recent cursor for select e.bdata from maplog.mt_events e
        where e.tenant_id = value_of.source and e.stream_id = value_of.stream and e.bdata is not null
            and e.version < value_of.version and e.version > greatest(coalesce(indexed.indexed_to, 0), opened) and maplog.change_key(e.bdata) = wanted
        order by e.version desc;
    older cursor for select e.bdata from audit.key_index k
        join maplog.mt_events e on e.tenant_id = value_of.source and e.stream_id = value_of.stream and e.version = k.version
        where k.stream = indexed.number and k.key_hash = audit.key_hash(wanted) and k.version < value_of.version and k.version > opened
            and maplog.change_key(e.bdata) = wanted
        order by k.version desc;
begin
    layers := array[maplog.change_parts(payload)];
    if layers[1] is null then
        return maplog.change_value(payload);
    end if;
    wanted := maplog.change_key(payload);
    opened := greatest(
        (select o.version from maplog.mt_events o
            where o.tenant_id = value_of.source and o.type = 'map_opened' and o.stream_id = value_of.stream and o.bdata is null
                and o.version < value_of.version order by o.version desc limit 1),
        (select max(s.opened_version) from maplog.snapshots s where s.stream = value_of.stream and s.opened_version < value_of.version),
        0);
    select * into indexed from audit.indexed_streams i where i.stream = value_of.stream;
    open recent;
    loop
        fetch recent into told;
        exit when not found or maplog.change_parts(told) is null;
        layers := array_append(layers, maplog.change_parts(told));
    end loop;
    close recent;
    if told is null then
        open older;
        loop
            fetch older into told;
            exit when not found or maplog.change_parts(told) is null;
            layers := array_append(layers, maplog.change_parts(told));
        end loop;
        close older;
    end if;
    whole := maplog.change_value(told);
    if told is null then
        select s.value into whole from audit.beginning(value_of.stream, opened) b, maplog.snapshot_entries(b.number) s where s.key = wanted;
    end if;
    for i in reverse cardinality(layers) .. 1 loop
        whole := maplog.put_parts(whole, layers[i]);
    end loop;
    return whole;
end $$;

create or replace view maplog.changes as
select tenant_id as source,
       stream_id as stream,
       version,
       timestamp as at,
       substring(type from 7) as kind,
       maplog.change_key(bdata) as key,
       case when type in ('entry_added', 'entry_updated')
            then coalesce(maplog.change_value(bdata), maplog.value_of(tenant_id, stream_id, version, bdata)) end as value,
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

-- One row per change. A column that is not asked for costs nothing: old values and lives are looked up only if they are.
-- Name the source as well as the stream, or a time: those are the indexes.
create or replace view audit.changes as
with generation as materialized (select * from audit.generations)
select e.tenant_id as source,
       e.stream_id as stream,
       e.version,
       e.timestamp as at,
       substring(e.type from 7) as kind,
       audit.shown(g.key_type, maplog.change_key(e.bdata)) as key,
       (select case when o.type in ('entry_added', 'entry_updated')
                then audit.shown_value(g.value_type,
                    coalesce(maplog.change_value(o.bdata), maplog.value_of(o.tenant_id, o.stream_id, o.version, o.bdata)), g.value_size, g.cpus) end
            from maplog.mt_events o where o.tenant_id = e.tenant_id and o.stream_id = e.stream_id and o.version = before.version) as old_value,
       case when e.type in ('entry_added', 'entry_updated')
            then audit.shown_value(g.value_type,
                coalesce(maplog.change_value(e.bdata), maplog.value_of(e.tenant_id, e.stream_id, e.version, e.bdata)), g.value_size, g.cpus) end as value,
       (select case when o.type in ('entry_added', 'entry_updated') then e.timestamp - o.timestamp end
            from maplog.mt_events o where o.tenant_id = e.tenant_id and o.stream_id = e.stream_id and o.version = before.version) as old_lived,
       maplog.change_origin(e.bdata) as origin,
       maplog.change_comm(e.bdata) as comm,
       maplog.change_tgid(e.bdata) as tgid,
       maplog.change_cpu(e.bdata) as cpu,
       g.node,
       maplog.change_epoch(e.bdata) as epoch,
       maplog.change_key(e.bdata) as key_bytes,
       case when e.type in ('entry_added', 'entry_updated')
            then coalesce(maplog.change_value(e.bdata), maplog.value_of(e.tenant_id, e.stream_id, e.version, e.bdata)) end as value_bytes,
       before.version as old_version
from maplog.mt_events e
left join generation g on g.source = e.tenant_id and g.stream = e.stream_id and e.version > g.first_version and (g.last_version is null or e.version <= g.last_version)
left join lateral (
    select audit.previous_version(e.tenant_id, e.stream_id, g.map_type, maplog.change_key(e.bdata), e.version, coalesce(g.first_version, 0)) as version offset 0
) before on true
where e.bdata is not null;

-- What a map held after a version. Of entries that have not changed since the snapshot from which pruned history begins,
-- since and changed_by are null: nobody knows any more.
create or replace function audit.state_at_version(stream text, version bigint)
    returns table (key jsonb, value jsonb, key_bytes bytea, value_bytes bytea, since timestamptz, changed_by bigint)
    language sql stable parallel safe as $$
    with generation as materialized (
        select g.*, b.number as snapshot, coalesce(b.version, g.first_version) as begins
        from audit.generations g
        left join lateral audit.beginning(g.stream, g.first_version) b on true
        where g.source = split_part(state_at_version.stream, '/', 1) and g.stream = state_at_version.stream and g.first_version <= state_at_version.version
        order by g.first_version desc limit 1)
    select audit.shown(g.key_type, last.key), audit.shown_value(g.value_type, whole.value, g.value_size, g.cpus),
           last.key, whole.value, last.at, nullif(last.version, 0)
    from generation g, lateral (
        select distinct on (change.key) change.*
        from (
            select audit.same_key(maplog.change_key(e.bdata), g.map_type) as key,
                   case when e.type in ('entry_added', 'entry_updated') then maplog.change_value(e.bdata) end as value, e.timestamp as at, e.version,
                   case when maplog.change_parts(e.bdata) is not null then e.bdata end as parted
            from maplog.mt_events e
            where e.tenant_id = g.source and e.stream_id = g.stream and e.version > g.begins and e.version <= state_at_version.version and e.bdata is not null
            union all
            select s.key, s.value, null, 0, null from maplog.snapshot_entries(g.snapshot) s where g.snapshot is not null and g.begins <= state_at_version.version) change
        order by change.key, change.version desc) last,
        lateral (select coalesce(last.value, maplog.value_of(g.source, g.stream, last.version, last.parted)) as value offset 0) whole
    where last.value is not null or last.parted is not null
$$;

-- Typed views that are there already. A view of another owner is made again by 'maplog audit view'.
do $$
declare
    made record;
begin
    for made in
        select c.oid::regclass as name, pg_get_viewdef(c.oid) as text
        from pg_class c
        where c.relnamespace = 'audit'::regnamespace and c.relkind = 'v' and c.relname <> 'changes' and pg_has_role(c.relowner, 'usage')
    loop
        if made.text ~ 'change_value\(e\.bdata\)' then
            execute format('create or replace view %s as %s', made.name, regexp_replace(made.text, '(\w+\.)?change_value\(e\.bdata\)',
                'coalesce(maplog.change_value(e.bdata), maplog.value_of(e.tenant_id, e.stream_id, e.version, e.bdata))', 'g'));
        end if;
    end loop;
end $$;

select maplog.secure();
