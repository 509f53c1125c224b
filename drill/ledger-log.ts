import type pg from 'pg';

/** Where a remedy can be held: after it has changed the row, after its triplet, and in the middle of its commit. */
export type LedgerPoint = 'update' | 'audit' | 'commit';

/** The advisory lock that a remedy waits for where it is held. */
export const gateLock = 4_711;

/**
 * What the example database keeps of itself during a drill, in the transactions in which it happens: when a row breaks, who
 * changes it, and the triplets. The rules of what is broken are those of the ledger watchdog.
 */
const objects = `
create schema drill;
create table drill.gate (point text primary key);
create table drill.episodes (seq bigserial primary key, check_name text not null, experiment bigint not null);
create table drill.gone (seq bigserial primary key, check_name text not null, experiment bigint not null);
create table drill.acts (
  seq bigserial primary key, check_name text, experiment bigint not null, run text not null, is_cured boolean not null);
create table drill.triplets (
  seq bigserial primary key, check_name text not null, experiment bigint not null, run text not null);

create function drill.hold(place text) returns void language plpgsql set lock_timeout = '30s' as $$
begin
  if exists (select from drill.gate where point = place) then
    perform pg_advisory_xact_lock_shared(${gateLock});
  end if;
end $$;

create function drill.name_fault(experiment public.experiment_queue) returns text language sql stable as $$
  select case
    when experiment.status = 'running'
      and coalesce(experiment.started_at, experiment.claimed_at) < now() - interval '6 hours' then 'zap_stuck'
    when experiment.status = 'done' and experiment.final_bpb < 0.1
      and (experiment.last_error is null or experiment.last_error not like 'leak:%') then 'leak_flag'
  end
$$;

create function drill.log_change() returns trigger language plpgsql as $$
declare
  was text := case when tg_op <> 'INSERT' then drill.name_fault(old) end;
  becomes text := case when tg_op <> 'DELETE' then drill.name_fault(new) end;
  by_run text := substring(current_setting('application_name') from '^actcore ([0-9a-f-]{36})$');
begin
  if by_run is not null then
    insert into drill.acts (check_name, experiment, run, is_cured) values (was, new.id, by_run, becomes is null);
    perform drill.hold('update');
  elsif was is distinct from becomes then
    if was is not null then insert into drill.gone (check_name, experiment) values (was, old.id); end if;
    if becomes is not null then insert into drill.episodes (check_name, experiment) values (becomes, new.id); end if;
  end if;
  return null;
end $$;
create trigger log_change after insert or update or delete on public.experiment_queue
  for each row execute function drill.log_change();

create function drill.log_triplet() returns trigger language plpgsql as $$
begin
  if new.action in ('zap_stuck', 'leak_flag') then
    insert into drill.triplets (check_name, experiment, run)
    values (new.action, (new.decision -> 'before' ->> 'id')::bigint, new.decision ->> 'run_id');
    perform drill.hold('audit');
    -- This transaction alone then asks for a standby, and there is none: its commit is written, and waits.
    if exists (select from drill.gate where point = 'commit') then
      perform set_config('synchronous_commit', 'remote_write', true);
    end if;
  end if;
  return null;
end $$;
create trigger log_triplet after insert on public.gardener_runs for each row execute function drill.log_triplet();
`;

/** Lets an example ledger keep a log of its own. */
export async function keepLedgerLog(client: pg.ClientBase): Promise<void> {
  await client.query(objects);
}
