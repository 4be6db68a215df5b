-- Roles and grants of one log, all of them in secure(): 'maplog migrate' runs it each time, because a restored dump may have lost
-- them (roles belong to the server, and pg_restore goes on without a grant that fails), and 'maplog source add' runs it for new partitions.

-- Functions that everybody could execute by Postgres' default. A row is the text between REVOKE and FROM PUBLIC.
create table maplog.revokes (
    privilege text primary key
);

insert into maplog.revokes (privilege) values
    ('execute on function maplog.secure()'),
    ('execute on function maplog.secure_events()'),
    ('execute on function maplog.drop_snapshots(text, integer)'),
    ('execute on function maplog.prune_events(text, integer)'),
    ('execute on function audit.index_keys(text, integer)'),
    ('execute on function audit.forget_pruned(text, integer)');

create or replace function maplog.secure_events() returns void
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
        if role in ('maplog_writer', 'maplog_admin') then
            -- The rights that Marten's bulk append needs, and no more: no update or delete of events. An admin appends prune records.
            execute format('grant insert on maplog.mt_events, maplog.mt_streams to %I', role);
            execute format('grant insert, update on maplog.mt_event_progression to %I', role);
            execute format('grant usage, select, update on all sequences in schema maplog to %I', role);
            -- Snapshots are added and never changed; the writer's daemon drops old ones, and fills the index of keys near the head.
            execute format('grant insert on maplog.snapshots, maplog.snapshot_chunks to %I', role);
            execute format('grant execute on function maplog.drop_snapshots(text, integer) to %I', role);
            execute format('grant usage on schema audit to %I', role);
            execute format('grant execute on function audit.index_keys(text, integer) to %I', role);
        end if;
        if role in ('maplog_auditor', 'maplog_admin') then
            execute format('grant usage on schema audit to %I', role);
            -- A typed view belongs to the admin who made it, who granted it then: another role could not.
            for part in
                select c.oid::regclass as name from pg_class c
                where c.relnamespace = 'audit'::regnamespace and c.relkind in ('r', 'v', 'm', 'p') and pg_has_role(c.relowner, 'usage')
            loop
                execute format('grant select on %s to %I', part.name, role);
            end loop;
        end if;
        if role = 'maplog_admin' then
            -- Makes typed views and hints; prunes.
            execute format('grant create on schema audit to %I', role);
            execute format('grant insert, update, delete on audit.described to %I', role);
            execute format('grant insert, delete on maplog.prune_orders to %I', role);
            execute format('grant execute on function maplog.prune_events(text, integer) to %I', role);
            execute format('grant execute on function audit.forget_pruned(text, integer) to %I', role);
        end if;
    end loop;
end $$;

create or replace function maplog.secure() returns void
    language plpgsql as $$
declare
    listed record;
    role text;
begin
    perform pg_advisory_xact_lock(hashtext('maplog secure maplog'));
    foreach role in array array['maplog_writer', 'maplog_reader', 'maplog_auditor', 'maplog_admin'] loop
        if not exists (select from pg_roles where rolname = role) then
            begin
                execute format('create role %I nologin', role);
            exception
                when duplicate_object or unique_violation then null; -- another log's migration was faster
                when insufficient_privilege then null;               -- 'maplog migrate' names the roles that are missing
            end;
        end if;
    end loop;
    for listed in select r.privilege from maplog.revokes r loop
        execute format('revoke %s from public', listed.privilege);
    end loop;
    perform maplog.secure_events();
    for listed in select g.role, g.privilege from maplog.grants g join pg_roles r on r.rolname = g.role loop
        execute format('grant %s to %I', listed.privilege, listed.role);
    end loop;
end $$;

select maplog.secure();
