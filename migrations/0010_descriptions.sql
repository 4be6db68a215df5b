-- One description of what a map's keys and values mean, for the command and for SQL. A description that an operator gives counts for
-- every life of the map that has the same sizes and of which the log itself says the same, so it outlives a restart of the program.

-- What a map_opened event says of its fields, without the marks of what is a guess: later versions mark what earlier ones did not.
create function audit.without_guesses(fields jsonb) returns jsonb
    language sql immutable parallel safe
    return coalesce(replace(nullif(fields, 'null')::text, ', "guess": true', '')::jsonb, 'null'::jsonb);

alter table audit.described
    add column key_size integer,
    add column value_size integer,
    add column own jsonb,
    add column described_at timestamptz not null default now(),
    add column described_by text not null default session_user;

update audit.described d
set key_size = (o.opened->'shape'->'keySize')::integer, value_size = (o.opened->'shape'->'valueSize')::integer, own = audit.without_guesses(o.opened->'fields')
from (
    select e.tenant_id as source, e.stream_id as stream, e.version, e.data as opened from maplog.mt_events e where e.type = 'map_opened' and e.bdata is null
    union all
    select s.source, s.stream, s.opened_version, s.opened from maplog.snapshots s) o
where o.source = d.source and o.stream = d.stream and o.version = d.version;

delete from audit.described d where d.own is null
    or exists (
        select from audit.described l
        where l.source = d.source and l.stream = d.stream and l.key_size = d.key_size and l.value_size = d.value_size and l.own = d.own and l.version > d.version);

create or replace view audit.generations as
with life as (
    select o.tenant_id as source, o.stream_id as stream, o.version, o.timestamp as opened_at, o.data as opened
    from maplog.mt_events o
    where o.type = 'map_opened' and o.bdata is null
    union all
    (select distinct on (s.source, s.stream, s.opened_version) s.source, s.stream, s.opened_version, s.opened_at, s.opened
    from maplog.snapshots s
    where not exists (select from maplog.mt_events o where o.tenant_id = s.source and o.stream_id = s.stream and o.version = s.opened_version)
    order by s.source, s.stream, s.opened_version)
)
select o.source,
       o.stream,
       o.version as first_version,
       lead(o.version) over (partition by o.source, o.stream order by o.version) - 1 as last_version,
       o.opened_at,
       o.opened->>'name' as map,
       (o.opened->'shape'->'type')::integer as map_type,
       (o.opened->'shape'->'keySize')::integer as key_size,
       (o.opened->'shape'->'valueSize')::integer as value_size,
       (o.opened->'shape'->'possibleCpus')::integer as cpus,
       o.opened->>'node' as node,
       o.opened->>'bootId' as boot_id,
       (o.opened->'mapId')::bigint as map_id,
       nullif(coalesce(d.fields, o.opened->'fields')->'key', 'null') as key_type,
       nullif(coalesce(d.fields, o.opened->'fields')->'value', 'null') as value_type
from life o
left join audit.described d on d.source = o.source and d.stream = o.stream
    and d.key_size = (o.opened->'shape'->'keySize')::integer and d.value_size = (o.opened->'shape'->'valueSize')::integer
    and d.own = audit.without_guesses(o.opened->'fields');

alter table audit.described
    drop constraint described_pkey,
    drop column version,
    alter column key_size set not null,
    alter column value_size set not null,
    alter column own set not null;
create unique index described_pkey on audit.described (source, stream, key_size, value_size, md5(own::text));

-- The descriptions of a stream, for every role that reads the log.
create function maplog.described(stream text)
    returns table (key_size integer, value_size integer, own jsonb, fields jsonb, described_at timestamptz, described_by text)
    language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
    select d.key_size, d.value_size, d.own, d.fields, d.described_at, d.described_by from audit.described d where d.stream = described.stream
$$;

-- An address that a program keeps as a number in the machine's byte order.
create function audit.ipv4_host(bytes bytea, at integer) returns inet
    language sql immutable parallel safe
    return '0.0.0.0'::inet + audit.u32(bytes, at);

-- A key of a longest-prefix trie as a network; null where its address is of no size that an address has.
create function audit.network(key bytea) returns cidr
    language sql immutable parallel safe
    return case octet_length(key)
        when 8 then network(set_masklen(audit.ipv4(key, 4), least(audit.u32(key, 0), 32)::integer))
        when 20 then network(set_masklen(audit.ipv6(key, 4), least(audit.u32(key, 0), 128)::integer))
    end;

-- Bytes as jsonb by their description (FieldType). Null without one.
create or replace function audit.decode(type jsonb, bytes bytea, at integer default 0) returns jsonb
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
    when 'ipv4Host' then return to_jsonb(host(audit.ipv4_host(bytes, at)));
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
