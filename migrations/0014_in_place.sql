-- The origin of changes that a program made through the pointer that a lookup returned: a walk over the map found them.
create or replace function maplog.change_origin(payload bytea) returns text
    language sql immutable parallel safe
    return (array['unknown', 'program', 'syscall', 'eviction', 'scan', 'read-back', 'in-place'])[get_byte(substring(payload from 2 for 1), 0) + 1];
