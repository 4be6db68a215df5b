-- The events' unique index with that first which tells rows apart: a stream's name begins with its source, so comparing the source
-- before it, the same for nearly all rows, is for nothing at every step of every search (tests/Costs/event_index.sql).
drop index maplog.pk_mt_events_stream_and_version;
create unique index pk_mt_events_stream_and_version on maplog.mt_events using btree (stream_id, version, tenant_id);
