-- Who changed which key, when, from what to what: views and functions for auditors, an index of keys that is filled behind
-- the head, the roles, and the lock on the events. Nothing here is paid for by an append. See docs/decisions/0008.

create schema audit;

-- ---------------------------------------------------------------------------------------------------- bytes by their meaning

create function audit.u16(bytes bytea, at integer) returns integer
    language sql immutable parallel safe
    return get_byte(bytes, at) | (get_byte(bytes, at + 1) << 8);

create function audit.u32(bytes bytea, at integer) returns bigint
    language sql immutable parallel safe
    return get_byte(bytes, at)::bigint | (get_byte(bytes, at + 1)::bigint << 8) | (get_byte(bytes, at + 2)::bigint << 16) | (get_byte(bytes, at + 3)::bigint << 24);

create function audit.s64(bytes bytea, at integer) returns bigint
    language sql immutable parallel safe
    return (audit.u32(bytes, at + 4) << 32) | audit.u32(bytes, at);

create function audit.u64(bytes bytea, at integer) returns numeric
    language sql immutable parallel safe
    return audit.u32(bytes, at + 4) * 4294967296::numeric + audit.u32(bytes, at);

create function audit.be16(bytes bytea, at integer) returns integer
    language sql immutable parallel safe
    return (get_byte(bytes, at) << 8) | get_byte(bytes, at + 1);

create function audit.be32(bytes bytea, at integer) returns bigint
    language sql immutable parallel safe
    return (get_byte(bytes, at)::bigint << 24) | (get_byte(bytes, at + 1)::bigint << 16) | (get_byte(bytes, at + 2)::bigint << 8) | get_byte(bytes, at + 3)::bigint;

create function audit.ipv4(bytes bytea, at integer) returns inet
    language sql immutable parallel safe
    return '0.0.0.0'::inet + audit.be32(bytes, at);

create function audit.ipv6(bytes bytea, at integer) returns inet
    language sql immutable parallel safe
    return rtrim(regexp_replace(encode(substring(bytes from at + 1 for 16), 'hex'), '(....)', '\1:', 'g'), ':')::inet;

create function audit.mac(bytes bytea, at integer) returns macaddr
    language sql immutable parallel safe
    return encode(substring(bytes from at + 1 for 6), 'hex')::macaddr;

-- A number of any size in the machine's byte order (little-endian).
create function audit.number(bytes bytea, at integer, size integer) returns numeric
    language sql immutable parallel safe
    return case size
        when 1 then get_byte(bytes, at)
        when 2 then audit.u16(bytes, at)
        when 4 then audit.u32(bytes, at)
        when 8 then audit.u64(bytes, at)
    end;

create function audit.signed_number(bytes bytea, at integer, size integer) returns bigint
    language sql immutable parallel safe
    return case size
        when 1 then (get_byte(bytes, at)::bigint << 56) >> 56
        when 2 then (audit.u16(bytes, at)::bigint << 48) >> 48
        when 4 then (audit.u32(bytes, at) << 32) >> 32
        when 8 then audit.s64(bytes, at)
    end;

create function audit.big_endian(bytes bytea, at integer, size integer) returns numeric
    language sql immutable parallel safe
    return case size
        when 1 then get_byte(bytes, at)
        when 2 then audit.be16(bytes, at)
        when 4 then audit.be32(bytes, at)
        when 8 then audit.be32(bytes, at) * 4294967296::numeric + audit.be32(bytes, at + 4)
    end;

create function audit.bits(bytes bytea, at integer, first integer, count integer) returns numeric
    language sql immutable parallel safe
    return (select sum(get_bit(bytes, at * 8 + first + i) * power(2::numeric, i)) from generate_series(0, count - 1) i)::numeric(20);

-- Text as long as it is text; else hex, as for bytes of which nothing is known.
create function audit.text(bytes bytea, at integer, size integer) returns text
    language plpgsql immutable parallel safe as $$
declare
    own bytea := substring(bytes from at + 1 for size);
    written bytea := rtrim(own, '\x00');
    characters text := encode(written, 'escape');
begin
    if position('\x00'::bytea in written) > 0 or characters !~ '^[ -~]*$' or octet_length(replace(characters, '\\', '\')) <> octet_length(written) then
        return encode(own, 'hex');
    end if;
    return replace(characters, '\\', '\');
end $$;

-- Bytes as jsonb by their description (FieldType): what a map's BTF said when the map was opened. Null without one.
create function audit.decode(type jsonb, bytes bytea, at integer default 0) returns jsonb
    language plpgsql immutable strict parallel safe as $$
declare
    size integer := type->'size';
    fields jsonb;
    field jsonb;
    decoded jsonb;
    number numeric;
begin
    case type->>'kind'
    when 'struct' then
        fields := type->'fields';
        decoded := '{}';
        for i in 0 .. jsonb_array_length(fields) - 1 loop
            field := fields->i;
            decoded := decoded || jsonb_build_object(field->>'name', audit.decode(field, bytes, at + coalesce((field->'at')::integer, 0)));
        end loop;
        return decoded;
    when 'array' then
        field := type->'of';
        decoded := '[]';
        for i in 0 .. (type->'count')::integer - 1 loop
            decoded := decoded || jsonb_build_array(audit.decode(field, bytes, at + i * (field->'size')::integer));
        end loop;
        return decoded;
    when 'number' then return to_jsonb(audit.number(bytes, at, size));
    when 'port', 'bigEndian' then return to_jsonb(audit.big_endian(bytes, at, size));
    when 'ipv4' then return to_jsonb(host(audit.ipv4(bytes, at)));
    when 'signedNumber' then return to_jsonb(audit.signed_number(bytes, at, size));
    when 'ipv6' then return to_jsonb(host(audit.ipv6(bytes, at)));
    when 'mac' then return to_jsonb(audit.mac(bytes, at)::text);
    when 'boolean' then return to_jsonb(ltrim(substring(bytes from at + 1 for size), '\x00') <> '');
    when 'text' then return to_jsonb(audit.text(bytes, at, size));
    when 'bits' then return to_jsonb(audit.bits(bytes, at, coalesce((type->'bit')::integer, 0), (type->'bits')::integer));
    when 'enumeration' then
        number := audit.number(bytes, at, size);
        return coalesce(type->'names'->number::text, to_jsonb(number));
    else
        return to_jsonb(encode(substring(bytes from at + 1 for size), 'hex'));
    end case;
end $$;

-- A key, or a value that is no per-CPU one: by field, else in hex.
create function audit.shown(type jsonb, bytes bytea) returns jsonb
    language sql immutable parallel safe
    return coalesce(audit.decode(type, bytes), to_jsonb(encode(bytes, 'hex')));

-- A value: of the per-CPU kinds an array with each CPU's, which lie 8-byte aligned one after the other.
create function audit.shown_value(type jsonb, bytes bytea, value_size integer, cpus integer) returns jsonb
    language sql immutable parallel safe
    return case when cpus = 0 then audit.shown(type, bytes)
        else (select jsonb_agg(audit.shown(type, substring(bytes from cpu * ((value_size + 7) / 8 * 8) + 1 for value_size)) order by cpu) from generate_series(0, cpus - 1) cpu) end;

-- What makes two keys the same: of a longest-prefix trie (11) the prefix length and the bits within it, else all bytes.
create function audit.same_key(key bytea, map_type integer) returns bytea
    language plpgsql immutable parallel safe as $$
declare
    prefix bigint;
    whole integer;
begin
    if map_type is distinct from 11 then
        return key;
    end if;
    prefix := audit.u32(key, 0);
    if prefix >= (octet_length(key) - 4) * 8 then
        return key;
    end if;
    whole := 4 + prefix / 8;
    return substring(key from 1 for whole)
        || decode(lpad(to_hex(get_byte(key, whole) & ((65280 >> (prefix % 8)::integer) & 255)), 2, '0'), 'hex')
        || decode(repeat('00', octet_length(key) - whole - 1), 'hex');
end $$;

-- ---------------------------------------------------------------------------------------------------- maps

-- What a map's keys and values mean, where that is told otherwise than its map_opened event does: by a hint of an operator,
-- or because the event is older than such descriptions. Written by 'maplog audit view'.
create table audit.described (
    source text not null,
    stream text not null,
    version bigint not null,
    fields jsonb not null,
    primary key (source, stream, version)
);

-- The lives of the kernel maps, one row for each, with what their keys and values mean.
create view audit.generations as
select o.tenant_id as source,
       o.stream_id as stream,
       o.version as first_version,
       lead(o.version) over (partition by o.tenant_id, o.stream_id order by o.version) - 1 as last_version,
       o.timestamp as opened_at,
       o.data->>'name' as map,
       (o.data->'shape'->'type')::integer as map_type,
       (o.data->'shape'->'keySize')::integer as key_size,
       (o.data->'shape'->'valueSize')::integer as value_size,
       (o.data->'shape'->'possibleCpus')::integer as cpus,
       o.data->>'node' as node,
       o.data->>'bootId' as boot_id,
       (o.data->'mapId')::bigint as map_id,
       nullif(coalesce(d.fields, o.data->'fields')->'key', 'null') as key_type,
       nullif(coalesce(d.fields, o.data->'fields')->'value', 'null') as value_type
from maplog.mt_events o
left join audit.described d on d.source = o.tenant_id and d.stream = o.stream_id and d.version = o.version
where o.type = 'map_opened' and o.bdata is null;

-- ---------------------------------------------------------------------------------------------------- the index of keys

-- Filled behind the head by audit.index_keys, never by an append. A hash is a hint, the event's own key is what counts.
create table audit.indexed_streams (
    number integer generated always as identity primary key,
    source text not null,
    stream text not null unique,
    indexed_to bigint not null default 0
);

create table audit.key_index (
    stream integer not null,
    key_hash bigint not null,
    version bigint not null,
    primary key (stream, key_hash, version)
);

create function audit.key_hash(key bytea) returns bigint
    language sql immutable parallel safe
    return hashtextextended(encode(key, 'hex'), 0);

-- Indexes at most so many events of a stream, the oldest first, and says how many. One call at a time per stream: a second
-- one does nothing.
create function audit.index_keys(stream text, most integer default 100000) returns bigint
    language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_sort = off as $$
declare
    named text := stream;
    owner text := split_part(stream, '/', 1);
    known audit.indexed_streams;
    upto bigint;
begin
    insert into audit.indexed_streams (source, stream) values (owner, named) on conflict do nothing;
    select * into known from audit.indexed_streams i where i.stream = named for update skip locked;
    if not found then
        return 0;
    end if;
    select max(e.version) into upto from maplog.mt_events e where e.tenant_id = owner and e.stream_id = named;
    if upto is null or upto <= known.indexed_to then
        return 0;
    end if;
    if known.indexed_to = 0 then
        -- What was pruned is not waited for.
        select min(e.version) - 1 into known.indexed_to from maplog.mt_events e where e.tenant_id = owner and e.stream_id = named;
    end if;
    upto := least(upto, known.indexed_to + most);
    insert into audit.key_index (stream, key_hash, version)
    select known.number, audit.key_hash(audit.same_key(maplog.change_key(e.bdata), g.map_type)), e.version
    from maplog.mt_events e
    left join audit.generations g on g.source = owner and g.stream = named and e.version > g.first_version and (g.last_version is null or e.version <= g.last_version)
    where e.tenant_id = owner and e.stream_id = named and e.version > known.indexed_to and e.version <= upto and e.bdata is not null
    on conflict do nothing;
    update audit.indexed_streams i set indexed_to = upto where i.number = known.number;
    return upto - known.indexed_to;
end $$;

-- How far the index of keys is behind each stream; what is behind is scanned, so every answer is whole.
create view audit.index_lag as
select s.tenant_id as source, s.id as stream, h.version as head, coalesce(i.indexed_to, 0) as indexed_to, greatest(h.version - coalesce(i.indexed_to, 0), 0) as behind
from maplog.mt_streams s
left join audit.indexed_streams i on i.stream = s.id
left join lateral (select e.version from maplog.mt_events e where e.tenant_id = s.tenant_id and e.stream_id = s.id order by e.version desc limit 1) h on true;

-- The change of the same key before this one, in the same life of the map; null if there is none.
create function audit.previous_version(source text, stream text, map_type integer, key bytea, version bigint, opened bigint) returns bigint
    language plpgsql stable parallel safe as $$
declare
    wanted bytea := audit.same_key(key, map_type);
    known audit.indexed_streams;
    found_version bigint;
begin
    select * into known from audit.indexed_streams i where i.stream = previous_version.stream;
    if coalesce(known.indexed_to, 0) < previous_version.version - 1 then
        select e.version into found_version from maplog.mt_events e
        where e.tenant_id = previous_version.source and e.stream_id = previous_version.stream and e.bdata is not null
            and e.version < previous_version.version and e.version > greatest(coalesce(known.indexed_to, 0), opened)
            and audit.same_key(maplog.change_key(e.bdata), map_type) = wanted
        order by e.version desc limit 1;
        if found then
            return found_version;
        end if;
    end if;
    for found_version in
        select k.version from audit.key_index k
        where k.stream = known.number and k.key_hash = audit.key_hash(wanted) and k.version < previous_version.version and k.version > opened
        order by k.version desc
    loop
        perform 1 from maplog.mt_events e
        where e.tenant_id = previous_version.source and e.stream_id = previous_version.stream and e.version = found_version
            and audit.same_key(maplog.change_key(e.bdata), map_type) = wanted;
        if found then
            return found_version;
        end if;
    end loop;
    return null;
end $$;

-- ---------------------------------------------------------------------------------------------------- the changes

-- One row per change. A column that is not asked for costs nothing: old values and lives are looked up only if they are.
-- Name the source as well as the stream, or a time: those are the indexes.
create view audit.changes as
with generation as materialized (select * from audit.generations)
select e.tenant_id as source,
       e.stream_id as stream,
       e.version,
       e.timestamp as at,
       substring(e.type from 7) as kind,
       audit.shown(g.key_type, maplog.change_key(e.bdata)) as key,
       (select case when o.type in ('entry_added', 'entry_updated') then audit.shown_value(g.value_type, maplog.change_value(o.bdata), g.value_size, g.cpus) end
            from maplog.mt_events o where o.tenant_id = e.tenant_id and o.stream_id = e.stream_id and o.version = before.version) as old_value,
       case when e.type in ('entry_added', 'entry_updated') then audit.shown_value(g.value_type, maplog.change_value(e.bdata), g.value_size, g.cpus) end as value,
       (select case when o.type in ('entry_added', 'entry_updated') then e.timestamp - o.timestamp end
            from maplog.mt_events o where o.tenant_id = e.tenant_id and o.stream_id = e.stream_id and o.version = before.version) as old_lived,
       maplog.change_origin(e.bdata) as origin,
       maplog.change_comm(e.bdata) as comm,
       maplog.change_tgid(e.bdata) as tgid,
       maplog.change_cpu(e.bdata) as cpu,
       g.node,
       maplog.change_epoch(e.bdata) as epoch,
       maplog.change_key(e.bdata) as key_bytes,
       case when e.type in ('entry_added', 'entry_updated') then maplog.change_value(e.bdata) end as value_bytes,
       before.version as old_version
from maplog.mt_events e
left join generation g on g.source = e.tenant_id and g.stream = e.stream_id and e.version > g.first_version and (g.last_version is null or e.version <= g.last_version)
left join lateral (
    select audit.previous_version(e.tenant_id, e.stream_id, g.map_type, maplog.change_key(e.bdata), e.version, coalesce(g.first_version, 0)) as version offset 0
) before on true
where e.bdata is not null;

-- The changes of one key of a stream, in all lives of its map, and the map_opened events between them: by the index of keys
-- as far as it goes, the rest by a scan.
create function audit.key_events(stream text, key bytea, map_type integer) returns table (version bigint, at timestamptz, type varchar, payload bytea)
    language sql stable parallel safe as $$
    select e.version, e.timestamp, e.type, e.bdata
    from audit.indexed_streams i
    join audit.key_index k on k.stream = i.number and k.key_hash = audit.key_hash(audit.same_key(key_events.key, key_events.map_type))
    join maplog.mt_events e on e.tenant_id = split_part(key_events.stream, '/', 1) and e.stream_id = key_events.stream and e.version = k.version
    where i.stream = key_events.stream and audit.same_key(maplog.change_key(e.bdata), key_events.map_type) = audit.same_key(key_events.key, key_events.map_type)
    union all
    select e.version, e.timestamp, e.type, e.bdata
    from maplog.mt_events e
    where e.tenant_id = split_part(key_events.stream, '/', 1) and e.stream_id = key_events.stream and e.bdata is not null
        and e.version > coalesce((select i.indexed_to from audit.indexed_streams i where i.stream = key_events.stream), 0)
        and audit.same_key(maplog.change_key(e.bdata), key_events.map_type) = audit.same_key(key_events.key, key_events.map_type)
    union all
    select e.version, e.timestamp, e.type, convert_to(e.data::text, 'UTF8')
    from maplog.mt_events e
    where e.tenant_id = split_part(key_events.stream, '/', 1) and e.stream_id = key_events.stream and e.type = 'map_opened' and e.bdata is null
$$;

-- ---------------------------------------------------------------------------------------------------- as it was

-- The last version that had happened at a time; null before the first. Stored time never decreases with the version,
-- whatever the clock did, so there is one answer, found by halves.
create function audit.version_at(stream text, at timestamptz) returns bigint
    language plpgsql stable parallel safe as $$
declare
    owner text := split_part(stream, '/', 1);
    low bigint;
    high bigint;
    middle bigint;
    seen record;
begin
    select e.version, e.timestamp as time into seen from maplog.mt_events e where e.tenant_id = owner and e.stream_id = version_at.stream order by e.version limit 1;
    if not found or seen.time > version_at.at then
        return null;
    end if;
    low := seen.version;
    select e.version, e.timestamp as time into seen from maplog.mt_events e where e.tenant_id = owner and e.stream_id = version_at.stream order by e.version desc limit 1;
    if seen.time <= version_at.at then
        return seen.version;
    end if;
    high := seen.version;
    while high - low > 1 loop
        middle := low + (high - low) / 2;
        select e.version, e.timestamp as time into seen from maplog.mt_events e
        where e.tenant_id = owner and e.stream_id = version_at.stream and e.version >= middle order by e.version limit 1;
        if seen.time <= version_at.at then
            low := seen.version;
        else
            high := middle;
        end if;
    end loop;
    return low;
end $$;

-- What a map held after a version.
create function audit.state_at_version(stream text, version bigint)
    returns table (key jsonb, value jsonb, key_bytes bytea, value_bytes bytea, since timestamptz, changed_by bigint)
    language sql stable parallel safe as $$
    with generation as materialized (
        select * from audit.generations g
        where g.source = split_part(state_at_version.stream, '/', 1) and g.stream = state_at_version.stream and g.first_version <= state_at_version.version
        order by g.first_version desc limit 1)
    select audit.shown(g.key_type, last.key), audit.shown_value(g.value_type, maplog.change_value(last.bdata), g.value_size, g.cpus),
           last.key, maplog.change_value(last.bdata), last.timestamp, last.version
    from generation g, lateral (
        select distinct on (audit.same_key(maplog.change_key(e.bdata), g.map_type))
            audit.same_key(maplog.change_key(e.bdata), g.map_type) as key, e.type, e.bdata, e.timestamp, e.version
        from maplog.mt_events e
        where e.tenant_id = g.source and e.stream_id = g.stream and e.version > g.first_version and e.version <= state_at_version.version and e.bdata is not null
        order by audit.same_key(maplog.change_key(e.bdata), g.map_type), e.version desc) last
    where last.type in ('entry_added', 'entry_updated')
$$;

-- What a map held at a time: select * from audit.state_at('lb-1/ct_map', '2026-03-01 14:00Z') join …
create function audit.state_at(stream text, at timestamptz)
    returns table (key jsonb, value jsonb, key_bytes bytea, value_bytes bytea, since timestamptz, changed_by bigint)
    language sql stable parallel safe as $$
    select * from audit.state_at_version(state_at.stream, audit.version_at(state_at.stream, state_at.at))
$$;

-- ---------------------------------------------------------------------------------------------------- no rewriting

create function maplog.refuse_rewriting() returns trigger
    language plpgsql as $$
begin
    raise exception 'The log is append-only: % of %.% is refused.', lower(tg_op), tg_table_schema, tg_table_name
        using errcode = 'insufficient_privilege', hint = 'What happened cannot be changed. Old history goes by a prune alone, an admin''s.';
end $$;

-- Rows of every partition, those to come too. An insert does not even look at these.
create trigger maplog_append_only before update or delete on maplog.mt_events
    for each row execute function maplog.refuse_rewriting();
create trigger maplog_no_truncate before truncate on maplog.mt_events
    for each statement execute function maplog.refuse_rewriting();

-- ---------------------------------------------------------------------------------------------------- roles

-- Groups without login, the same for all logs of a server: grant them to whoever logs in. Who migrates may lack the right to
-- make roles: then an administrator makes them, and secure() grants.
do $$
declare
    role text;
begin
    foreach role in array array['maplog_writer', 'maplog_reader', 'maplog_auditor', 'maplog_admin'] loop
        if not exists (select from pg_roles where rolname = role) then
            begin
                execute format('create role %I nologin', role);
            exception
                when duplicate_object or unique_violation then null; -- another database's migration was faster
                when insufficient_privilege then
                    raise warning 'Role % was not made: % may not make roles. Make it and run: select maplog.secure()', role, current_user;
            end;
        end if;
    end loop;
end $$;

-- Grants, and the guard of each partition against truncate: what a new source needs, so 'maplog source add' calls it. Run
-- again it does the same.
create function maplog.secure() returns void
    language plpgsql as $$
declare
    role text;
    part record;
begin
    for part in
        select c.oid::regclass as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'maplog.mt_events'::regclass and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'maplog_no_truncate')
    loop
        execute format('create trigger maplog_no_truncate before truncate on %s for each statement execute function maplog.refuse_rewriting()', part.name);
    end loop;

    for role in select rolname from pg_roles where rolname in ('maplog_writer', 'maplog_reader', 'maplog_auditor', 'maplog_admin') loop
        -- All of them read the log.
        execute format('grant usage on schema maplog to %I', role);
        execute format('grant select on all tables in schema maplog to %I', role);
        if role = 'maplog_writer' then
            -- What Marten's bulk append takes, and nothing else: no update or delete of events.
            execute format('grant insert on maplog.mt_events, maplog.mt_streams to %I', role);
            execute format('grant insert, update on maplog.mt_event_progression to %I', role);
            execute format('grant usage, select, update on all sequences in schema maplog to %I', role);
        elsif role in ('maplog_auditor', 'maplog_admin') then
            execute format('grant usage on schema audit to %I', role);
            execute format('grant select on all tables in schema audit to %I', role);
        end if;
        if role = 'maplog_admin' then
            -- Keeps the index of keys, makes typed views and hints.
            execute format('grant create on schema audit to %I', role);
            execute format('grant insert, update, delete on audit.described to %I', role);
            execute format('grant execute on function audit.index_keys(text, integer) to %I', role);
        end if;
    end loop;
end $$;

revoke execute on function audit.index_keys(text, integer) from public;
revoke execute on function maplog.secure() from public;
select maplog.secure();
