import type pg from 'pg';

/** The tables of the ledger: who works, what there is to do, and what the watchdog did about it. */
const tables = `
create table if not exists workers (
  id uuid primary key,
  railway_acc text not null,
  railway_svc_name text not null,
  last_heartbeat timestamptz
);
create table if not exists experiment_queue (
  id bigserial primary key,
  canon_name text not null,
  seed bigint not null,
  status text not null default 'pending'
    check (status in ('pending', 'ready', 'claimed', 'running', 'done', 'failed', 'dead')),
  attempts integer not null default 0,
  max_attempts integer not null default 3,
  last_error text,
  scheduled_at timestamptz not null default now(),
  claimed_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  worker_id uuid,
  final_bpb double precision
);
create index if not exists experiment_queue_by_status on experiment_queue (status, started_at);
create table if not exists gardener_runs (
  id bigserial primary key,
  at timestamptz not null default now(),
  action text not null,
  lane text,
  seed bigint,
  before_bpb double precision,
  after_bpb double precision,
  decision jsonb not null
);
`;

/** Makes the tables where they are not there yet. */
export async function ensureLedger(client: pg.ClientBase): Promise<void> {
  await client.query(tables);
}
