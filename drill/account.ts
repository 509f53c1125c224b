import { setTimeout as sleep } from 'node:timers/promises';
import { listExecutions } from '../reconcile/executions.ts';
import type { Execution } from '../reconcile/executions.ts';
import { ownSource } from '../workflows/contract.ts';
import { reconcileOne, surveyOne } from './audit.ts';
import { listRows } from './rows.ts';
import type { Row } from './rows.ts';
import { isWithin } from './span.ts';
import type { Span } from './span.ts';
import type { Stage } from './stage.ts';
import type { Call } from './target.ts';

/** The ticks of one definition in such a stretch, and what became of them. */
export interface TickAccount {
  definition: string;
  /** By the clock alone: the length of the span by the period. */
  expected: number;
  rows: number;
  duplicates: number;
  /** Ticks that the target worked for more than once, and work that began while another was going. */
  extraRuns: number;
  /** Runs and answers of which the row knows nothing, or says that they were not. */
  lost: number;
  /** Answers that nobody heard, for the worker was killed or frozen before it did: their rows say so. */
  unheard: number;
  /** Rows by outcome. */
  outcomes: Record<string, number>;
  latenessMs: number[];
  /** What `actcore audit` would have to say. */
  complaints: string[];
}

/** What an account is taken of. */
export interface AccountRequest {
  stage: Stage;
  taskQueue: string;
  definition: { id: string; everyMs: number };
  span: Span;
  calls: Call[];
  /** Whether workers were killed or frozen, so that an answer may have reached nobody. */
  mayGoUnheard: boolean;
  signal: AbortSignal;
}

const patienceMs = 120_000;

/** Lets the reconciler finish its work, then counts what stands in the history, at the target and on the server. */
export async function takeAccount(request: AccountRequest): Promise<TickAccount> {
  const { stage, definition, span, calls } = request;
  const expected = Math.round((span.toMs - span.fromMs) / definition.everyMs);
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const complaints = await surveyOne(request);
    const rows = await listRows(stage.history, definition.id, span);
    const isSettled = rows.length === expected && rows.every(({ outcome }) => outcome !== null);
    if ((isSettled && complaints.length === 0) || Date.now() > deadline) {
      const executions = await listTicksRun(stage, definition.id, span);
      const own = calls.filter(
        ({ definition: id, source, tickMs }) => id === definition.id && source === ownSource && isWithin(tickMs, span),
      );
      return { ...count(rows, own, executions, request), expected, complaints };
    }
    await reconcileOne(request);
    await sleep(500, undefined, { signal: request.signal });
  }
}

function count(rows: Row[], calls: Call[], executions: Execution[], { definition, mayGoUnheard }: AccountRequest) {
  const outcomes: Record<string, number> = {};
  for (const { outcome } of rows) outcomes[outcome ?? 'running'] = (outcomes[outcome ?? 'running'] ?? 0) + 1;
  const rowOf = new Map(rows.map((row) => [row.tickMs, row]));
  const lostRuns = executions.filter(({ scheduledMs }) => denies(rowOf.get(scheduledMs ?? 0)));
  const worked = calls.filter(({ isTurnedAway }) => !isTurnedAway);
  const denied = worked.filter(({ tickMs }) => denies(rowOf.get(tickMs)));
  const answered = worked.filter(({ isAnswered, tickMs }) => isAnswered && !denies(rowOf.get(tickMs)));
  const misjudged = answered.filter(({ tickMs }) => rowOf.get(tickMs)?.outcome !== 'completed');
  const unheard = misjudged.filter(({ tickMs }) => isUnheard(rowOf.get(tickMs), mayGoUnheard));
  const lostTicks = new Set([...lostRuns.map(({ scheduledMs }) => scheduledMs), ...denied.map(({ tickMs }) => tickMs)]);
  return {
    definition: definition.id,
    rows: rows.length,
    duplicates: rows.length - rowOf.size,
    extraRuns: worked.length - new Set(worked.map(({ tickMs }) => tickMs)).size + countOverlaps(worked),
    lost: lostTicks.size + misjudged.length - unheard.length,
    unheard: unheard.length,
    outcomes,
    latenessMs: rows.filter(({ standing }) => standing > 0).map(({ startedMs, tickMs }) => startedMs - tickMs),
  };
}

/** Whether a row says nothing of an end, or that there was no run. */
function denies(row: Row | undefined): boolean {
  return row === undefined || row.outcome === null || row.standing < 1;
}

/** The server, or the clock of the run, had given up on what was answered then. */
function isUnheard(row: Row | undefined, mayGoUnheard: boolean): boolean {
  return row?.outcome === 'timed_out' || (mayGoUnheard && row?.standing === 1);
}

function countOverlaps(calls: Call[]): number {
  let busyUntil = 0;
  let overlaps = 0;
  for (const { at, endedAt = Infinity } of calls.toSorted((left, right) => left.at - right.at)) {
    if (at < busyUntil) overlaps += 1;
    busyUntil = Math.max(busyUntil, endedAt);
  }
  return overlaps;
}

async function listTicksRun({ client }: Stage, id: string, span: Span): Promise<Execution[]> {
  const executions: Execution[] = [];
  for await (const one of listExecutions(client, new Date(span.fromMs), { definitionIds: [id] })) {
    if (one.scheduledMs !== undefined && isWithin(one.scheduledMs, span)) executions.push(one);
  }
  return executions;
}
