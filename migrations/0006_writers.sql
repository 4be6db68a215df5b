-- Who writes which source: one node at a time, by a lease; what waits to be the next; and grants as rows, so that each
-- migration lists its own. See docs/decisions/0009.

-- Times are this server's: no other clock counts.
create table maplog.writers (
    source    text primary key,
    node      text not null,                            -- whose daemon may hold the lease; promote changes it
    epoch     integer not null,                         -- of the last lease taken
    holder    text,                                     -- the daemon that has it; null: it was given back
    since     timestamptz not null,                     -- when it took it
    until     timestamptz not null,                     -- it is renewed before
    successor text,                                     -- the node that a promotion asks it to give way to
    whole     boolean not null default false            -- whether the last to give it back had logged all that it recorded
);

-- Captures that wait for a promotion, as they tell of themselves every second.
create table maplog.standby_writers (
    source  text not null,
    node    text not null,
    holder  text not null,
    behind  bigint,                                     -- versions between its replicas and the heads; null: it cannot tell
    problem text,                                       -- why it could not take over now; null: nothing
    seen    timestamptz not null,
    primary key (source, node)
);

-- What each role may do beside reading: secure() grants it, now and for what is added later.
create table maplog.grants (
    role      text not null,
    privilege text not null,                            -- what stands between GRANT and TO
    primary key (role, privilege)
);

insert into maplog.grants (role, privilege) values
    ('maplog_writer', 'insert, update on maplog.writers'),
    ('maplog_writer', 'insert, update, delete on maplog.standby_writers'),
    ('maplog_admin', 'insert, update on maplog.writers');

alter function maplog.secure() rename to secure_events;

create function maplog.secure() returns void
    language plpgsql as $$
declare
    listed record;
begin
    perform maplog.secure_events();
    for listed in select g.role, g.privilege from maplog.grants g join pg_roles r on r.rolname = g.role loop
        execute format('grant %s to %I', listed.privilege, listed.role);
    end loop;
end $$;

revoke execute on function maplog.secure() from public;
select maplog.secure();
