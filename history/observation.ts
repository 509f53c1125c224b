import type pg from 'pg';
import type { CheckReport } from '../workflows/contract.ts';
import { writeInMonths } from './months.ts';
import { storable, writeStorable } from './storable.ts';
import type { CheckObservation, WatchRun } from './watch-ledger.ts';

/** Tells the life of findings by what a run saw; see `WatchLedger.observe`. */
export async function observeFindings(
  pool: pg.Pool,
  run: WatchRun,
  checks: CheckObservation[],
): Promise<{ checkName: string; key: string }[]> {
  const reports = checks.map(({ report, quarantineAfter, isComplete }) => ({ ...report, quarantineAfter, isComplete }));
  const seen = checks.flatMap(({ report, findings }) => findings.map((one) => ({ check: report.name, ...one })));
  const values = [...runValues(run), writeStorable(reports), writeStorable(seen)];
  const { rows } = await writeInMonths(pool, [run.scheduledAt], () =>
    pool.query<{ checkName: string; key: string }>(
      'SELECT check_name AS "checkName", key FROM actcore.observe_findings($1, $2, $3, $4, $5, $6, $7)',
      values,
    ),
  );
  return rows;
}

/** Writes what the checks of a run did where nobody has written it, as when the history was away; may be repeated. */
export async function keepChecks(pool: pg.Pool, run: WatchRun, reports: CheckReport[]): Promise<void> {
  const values = [...runValues(run), writeStorable(reports)];
  await writeInMonths(pool, [run.scheduledAt], () =>
    pool.query('SELECT actcore.keep_checks($1, $2, $3, $4, $5, $6, false)', values),
  );
}

function runValues({ definitionUuid, definitionId, runId, scheduledAt, trigger }: WatchRun): unknown[] {
  return [definitionUuid, storable(definitionId), runId, new Date(scheduledAt).toISOString(), trigger];
}
