-- What keeps a source's writer from being ready, as it tells with each renewal of its lease: maps that wait, pins that are gone.
-- A sentence each; true only while the lease is held.
alter table maplog.writers add column troubles text[] not null default '{}';
