import type { Database } from './read-model.ts';
import type { SweepEnd, SweepRequest } from './report.ts';

/** Type of the event that each sweep leaves, whoever asked for it; `detail.source` says who. */
export const sweepEventType = 'consistency_sweep_remote_all';

/** Keeps how a sweep ended; one that nobody waited for to the end has the status `abandoned`. */
export async function writeProgressEvent(database: Database, request: SweepRequest, end: SweepEnd): Promise<void> {
  const { report, stopped } = end;
  const count = (status: string): number => report.repos.filter((repo) => repo.status === status).length;
  const byRule: Record<string, number> = {};
  for (const { rule } of report.assessment_failures) byRule[rule] = (byRule[rule] ?? 0) + 1;
  const detail = {
    source: report.source,
    run_id: report.run_id,
    status: stopped === 'client_gone' ? 'abandoned' : report.status,
    stopped,
    started_at: report.started_at,
    duration_ms: report.duration_ms,
    max_seconds: request.max_seconds,
    exit_code: report.exit_code,
    automation_error: report.automation_error,
    holder: report.holder ?? null,
    counts: {
      repos: report.repos.length,
      ok: count('ok'),
      gated: count('gated'),
      failed: count('failed'),
      not_reached: count('not_reached'),
      assessment_failures: report.assessment_failures.length,
      by_rule: byRule,
    },
  };
  await database.query('insert into state_hub.progress_events (event_type, detail) values ($1, $2)', [
    sweepEventType,
    JSON.stringify(detail),
  ]);
}

/** The latest events, newest first; `id` is a decimal string, for it is a 64-bit number. */
export async function listProgressEvents(database: Database, limit: number): Promise<object[]> {
  const { rows } = await database.query<object>(
    'select id::text as id, at, event_type, detail from state_hub.progress_events order by progress_events.id desc limit $1',
    [limit],
  );
  return rows;
}
