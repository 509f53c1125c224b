import type pg from 'pg';
import { taskStatuses } from './task-blocks.ts';
import { workplanStatuses } from './workplan.ts';

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

const tables = `
  create schema if not exists state_hub;

  create table if not exists state_hub.repos (
    name text primary key,
    path text not null,
    registered_at timestamptz not null default now(),
    last_tried_at timestamptz,
    last_result jsonb
  );

  create table if not exists state_hub.workstreams (
    id uuid primary key,
    repo text not null references state_hub.repos (name) on delete cascade,
    workplan_id text not null,
    path text not null,
    title text not null,
    status text not null check (status in (${quoted(workplanStatuses)})),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (repo, workplan_id)
  );

  create table if not exists state_hub.tasks (
    workstream_id uuid not null references state_hub.workstreams (id) on delete cascade,
    task_id text not null,
    position integer not null,
    title text not null,
    status text not null check (status in (${quoted(taskStatuses)})),
    primary key (workstream_id, task_id)
  );

  create table if not exists state_hub.progress_events (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    event_type text not null,
    detail jsonb not null
  );

  create table if not exists state_hub.sweep_holder (
    only_row boolean primary key default true check (only_row),
    backend_pid integer not null,
    source text not null,
    run_id text not null,
    taken_at timestamptz not null
  );
`;

/** Makes the schema where it is missing. Any number of processes may do this at once: they wait for each other. */
export async function ensureSchema(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query("select pg_advisory_xact_lock(hashtext('state_hub.schema'))");
    await client.query(tables);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}
