import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { listTracked } from '../history/in-force.ts';
import type { TrackedDefinition } from '../history/in-force.ts';
import { forEachAtOnce } from '../schedules/each.ts';
import { listScheduleIds } from '../schedules/listing.ts';
import { observeSchedule } from '../schedules/observe.ts';
import { listExecutions, readRetentionMs } from './executions.ts';
import type { Execution } from './executions.ts';
import type { SurveyScope } from './facts.ts';
import { surveyDefinition } from './survey.ts';
import type { Survey } from './survey.ts';

/** What to survey: one definition by its id or all, the span, and the task queue that tells ours from others. */
export interface SurveyRequest {
  id?: string;
  from: Date;
  settleMs: number;
  taskQueue: string;
  now: Date;
  /** Whether what was under way at `from` is looked at too; see `SurveyScope`. */
  goesBack?: boolean;
  /** Called when it is known how many definitions there are, and as each is done. */
  onStep?: (done: number, total: number) => void;
}

/** Surveys definitions, each compared with the executions of one listing. Writes nothing. */
export async function surveyAll(client: Client, pool: pg.Pool, request: SurveyRequest): Promise<Survey[]> {
  return forEachDefinition(client, pool, request, surveyDefinition);
}

/** What one look at a definition gives, with those of its executions that were open in the span. */
type Look<Seen> = (scope: SurveyScope, tracked: TrackedDefinition, executions: Execution[]) => Promise<Seen>;

/** Looks at definitions one by one, with the executions of one listing. */
export async function forEachDefinition<Seen>(
  client: Client,
  pool: pg.Pool,
  request: SurveyRequest,
  look: Look<Seen>,
): Promise<Seen[]> {
  const { from, settleMs, now, goesBack = false, onStep } = request;
  const tracked = await listDefinitions(client, pool, request);
  const retentionMs = await readRetentionMs(client);
  const ids = request.id === undefined ? undefined : tracked.flatMap((one) => one.ids);
  const executions = await groupExecutions(client, from, ids);
  const scope: SurveyScope = { client, pool, now, settleMs, retentionMs, goesBack, fromMs: from.getTime() };
  let done = 0;
  onStep?.(done, tracked.length);
  return forEachAtOnce(tracked, async (definition) => {
    const own = definition.ids.flatMap((id) => executions.get(id) ?? []);
    const seen = await look(scope, definition, own);
    onStep?.(++done, tracked.length);
    return seen;
  });
}

/** Those that the history knows, and those on the server that it does not, as an older version applied them. */
async function listDefinitions(
  client: Client,
  pool: pg.Pool,
  { id, taskQueue }: Pick<SurveyRequest, 'id' | 'taskQueue'>,
): Promise<TrackedDefinition[]> {
  const known = await listTracked(pool, id);
  if (id !== undefined) return known.length > 0 ? known : readUnknown(client, [id], taskQueue);
  const names = new Set(known.map((one) => one.id));
  const unknown = (await listScheduleIds(client)).filter((listed) => !names.has(listed));
  return [...known, ...(await readUnknown(client, unknown, taskQueue))];
}

async function readUnknown(client: Client, ids: string[], taskQueue: string): Promise<TrackedDefinition[]> {
  const observed = await forEachAtOnce(ids, (id) => observeSchedule(client, id));
  return observed.flatMap((schedule) => {
    if (schedule?.order === undefined || schedule.taskQueue !== taskQueue) return [];
    return [{ uuid: schedule.order.definition.uuid, id: schedule.id, ids: [schedule.id] }];
  });
}

async function groupExecutions(
  client: Client,
  from: Date,
  ids: string[] | undefined,
): Promise<Map<string, Execution[]>> {
  const groups = new Map<string, Execution[]>();
  if (ids?.length === 0) return groups;
  for await (const execution of listExecutions(client, from, ids === undefined ? 'all' : { definitionIds: ids })) {
    const group = groups.get(execution.definitionId);
    if (group === undefined) groups.set(execution.definitionId, [execution]);
    else group.push(execution);
  }
  for (const group of groups.values()) group.sort((left, right) => left.startMs - right.startMs);
  return groups;
}
