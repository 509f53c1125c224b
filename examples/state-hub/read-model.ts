import type pg from 'pg';
import type { Workstream } from './rules.ts';

/** A pool, or the one connection of a sweep that also holds its lock: what is lost with it can no longer write. */
export type Database = pg.Pool | pg.ClientBase;

const selectWorkstreams = `
  select w.id, w.workplan_id as "workplanId", w.path, w.title, w.status,
         coalesce(
           jsonb_agg(jsonb_build_object('id', t.task_id, 'title', t.title, 'status', t.status) order by t.position)
             filter (where t.task_id is not null),
           '[]'
         ) as tasks
  from state_hub.workstreams w
  left join state_hub.tasks t on t.workstream_id = w.id
  where w.repo = $1
  group by w.id
  order by w.workplan_id
`;

/** All rows of a repo, tasks in the order of the file. */
export async function listWorkstreams(database: Database, repo: string): Promise<Workstream[]> {
  const { rows } = await database.query<Workstream>(selectWorkstreams, [repo]);
  return rows;
}

/** Which of these row ids belong to other repos. */
export async function findForeignRowIds(database: Database, repo: string, rowIds: string[]): Promise<Set<string>> {
  const { rows } = await database.query<{ id: string }>(
    'select id from state_hub.workstreams where repo <> $1 and id = any($2::uuid[])',
    [repo, rowIds],
  );
  return new Set(rows.map((row) => row.id));
}

const upsertWorkstream = `
  insert into state_hub.workstreams (id, repo, workplan_id, path, title, status)
  values ($1, $2, $3, $4, $5, $6)
  on conflict (id) do update
    set workplan_id = excluded.workplan_id, path = excluded.path, title = excluded.title, status = excluded.status,
        updated_at = now()
`;

const insertTasks = `
  insert into state_hub.tasks (workstream_id, task_id, position, title, status)
  select $1, task ->> 'id', position, task ->> 'title', task ->> 'status'
  from jsonb_array_elements($2::jsonb) with ordinality as listed (task, position)
`;

/** Stores rows with their tasks, all or none. */
export async function storeWorkstreams(client: pg.ClientBase, repo: string, rows: Workstream[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query('begin');
  try {
    for (const { id, workplanId, path, title, status, tasks } of rows) {
      await client.query(upsertWorkstream, [id, repo, workplanId, path, title, status]);
      await client.query('delete from state_hub.tasks where workstream_id = $1', [id]);
      await client.query(insertTasks, [id, JSON.stringify(tasks)]);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
