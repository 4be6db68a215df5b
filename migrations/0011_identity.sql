-- Which log this is: random, made once. A hook that is pinned on a host remembers it, so that its records go to no other log. It
-- stays the same when the log is dumped and restored, when its schema is renamed, and on a server that another one fails over to.
-- See docs/decisions/0013.
create table maplog.identity (
    id   uuid not null default gen_random_uuid(),
    sole boolean primary key default true check (sole)   -- one row
);

insert into maplog.identity default values;
select maplog.secure();
