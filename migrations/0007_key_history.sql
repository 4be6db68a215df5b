-- A key's history is read by the index of keys, whatever Postgres guesses: it takes what that index lacks for a third of the
-- stream, where it is a moment's changes, and would start workers; and without statistics it takes any key for one that changes all the
-- time.
alter function audit.key_events(text, bytea, integer) set enable_seqscan = off;
alter function audit.key_events(text, bytea, integer) set enable_hashjoin = off;
alter function audit.key_events(text, bytea, integer) set enable_mergejoin = off;
alter function audit.key_events(text, bytea, integer) set jit = off;
alter function audit.key_events(text, bytea, integer) set max_parallel_workers_per_gather = 0;
