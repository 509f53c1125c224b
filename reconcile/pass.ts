import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { createLedger } from '../history/ledger.ts';
import { findLastLook } from '../history/schedule-states.ts';
import { underLock } from '../history/session-lock.ts';
import type { LockHolder } from '../history/session-lock.ts';
import { forEachAtOnce } from '../schedules/each.ts';
import type { AssessmentFailure, Outcome } from '../workflows/contract.ts';
import type { Difference } from './judge.ts';
import { mendDifference } from './mend.ts';
import { rememberLook } from './remember.ts';
import { surveyAll } from './survey-all.ts';
import type { SurveyRequest } from './survey-all.ts';
import type { DefinitionAccount } from './survey.ts';

/** What one pass of the reconciler did. */
export interface Reconciliation {
  status: 'completed';
  /** ISO. */
  from: string;
  definitions: number;
  expected: number;
  executions: number;
  rows: number;
  /** The rows that were written, by outcome. */
  written: Partial<Record<Outcome, number>>;
  /** How many differences were left for the next pass. */
  later: number;
  /** What does not add up: ticks that nothing fired, and what could not be put right. */
  assessment_failures: AssessmentFailure[];
}

/** Another pass is going: it does the same. */
export interface PassHeld {
  status: 'lock_skipped';
  holder: LockHolder;
}

/** What a pass is asked; `from` is worked out from the last pass where it is absent, and what was under way then is looked at. */
export type PassRequest = Omit<SurveyRequest, 'from' | 'goesBack'> & { from?: Date };

/** Ticks are judged this long after they were due, unless another time is stated. */
export const defaultSettleMs = 60_000;

const shortestLookBackMs = 3_600_000;
const firstLookBackMs = 86_400_000;
const longestLookBackMs = 7 * 86_400_000;

/** Compares ticks, executions and rows of all definitions or one, and writes the rows that are missing. One at a time. */
export async function reconcile(
  client: Client,
  pool: pg.Pool,
  request: PassRequest,
): Promise<Reconciliation | PassHeld> {
  const name = `actcore reconcile on ${hostname()}, process ${process.pid}`;
  const ended = await underLock(pool, { lock: 'actcore.reconcile', name, patienceMs: 0 }, async (db) => {
    const from = request.from ?? (await chooseStart(db, request.now));
    return runPass(client, pool, db, { ...request, from, goesBack: request.from === undefined });
  });
  return 'result' in ended ? ended.result : { status: 'lock_skipped', holder: ended.holder };
}

/** From the last look on, with an hour of what was looked at before: a run that was open then may have ended by now. */
async function chooseStart(db: pg.ClientBase, now: Date): Promise<Date> {
  const last = await findLastLook(db);
  const lookBackMs = last === undefined ? firstLookBackMs : now.getTime() - last.getTime() + shortestLookBackMs;
  return new Date(now.getTime() - Math.min(longestLookBackMs, Math.max(shortestLookBackMs, lookBackMs)));
}

async function runPass(
  client: Client,
  pool: pg.Pool,
  db: pg.ClientBase,
  request: SurveyRequest,
): Promise<Reconciliation> {
  const surveys = await surveyAll(client, pool, request);
  const accounts = surveys.map(({ account }) => account);
  const ledger = createLedger(pool);
  const found = accounts.flatMap((account) => listDifferences(account).map((difference) => ({ account, difference })));
  const total = openTotal(request, accounts);
  await forEachAtOnce(found, async ({ account, difference }) => {
    const mended = await mendDifference(client, ledger, difference);
    if ('outcome' in mended) total.written[mended.outcome] = (total.written[mended.outcome] ?? 0) + 1;
    if ('later' in mended) total.later += 1;
    const failure = describeFailure(account, difference, mended);
    if (failure !== undefined) total.assessment_failures.push(failure);
  });
  // Last, so that a pass that breaks off is begun again from where it began; the next one begins at the last look at all.
  for (const { account, look } of request.id === undefined ? surveys : []) {
    if (look !== undefined) await rememberLook(db, account.uuid, look, request.now, hostname());
  }
  total.assessment_failures.sort((left, right) => (left.target + left.message < right.target + right.message ? -1 : 1));
  return total;
}

function openTotal({ from }: SurveyRequest, accounts: DefinitionAccount[]): Reconciliation {
  const sum = (read: (account: DefinitionAccount['sources'][number]) => number) =>
    accounts.flatMap(({ sources }) => sources).reduce((total, source) => total + read(source), 0);
  return {
    status: 'completed',
    from: from.toISOString(),
    definitions: accounts.length,
    expected: sum(({ expected }) => expected),
    executions: sum(({ executions }) => executions ?? 0),
    rows: sum(({ rows }) => rows),
    written: {},
    later: 0,
    assessment_failures: accounts.flatMap(({ id, faults }) =>
      faults.map((message) => ({ target: id, rule: 'T-03', message })),
    ),
  };
}

/** All differences of a definition. */
export function listDifferences({ sources, byHand }: DefinitionAccount): Difference[] {
  return [...sources.flatMap(({ differences }) => differences), ...byHand.differences];
}

function describeFailure(
  { id }: DefinitionAccount,
  { source, scheduledAt }: Difference,
  mended: Awaited<ReturnType<typeof mendDifference>>,
): AssessmentFailure | undefined {
  const about = (text: string) => `${scheduledAt} (${source}): ${text}`;
  if ('stuck' in mended) return { target: id, rule: 'T-02', message: about(mended.stuck) };
  if ('outcome' in mended && mended.outcome === 'missed')
    return { target: id, rule: 'T-01', message: about(mended.reason) };
  return undefined;
}
