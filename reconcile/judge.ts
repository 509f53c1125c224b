import { catchupWindowMs } from '../compiler/server-limits.ts';
import { runIdOf } from '../history/run-id.ts';
import type { TickRow } from '../history/tick-rows.ts';
import { ownSource } from '../workflows/contract.ts';
import type { Firing, Order, Outcome } from '../workflows/contract.ts';
import type { Execution } from './executions.ts';
import type { ExpectedTick } from './expected.ts';
import { reasons } from './reasons.ts';
import type { Pause } from './timeline.ts';

/** What is known of a run whose execution is gone. */
export interface Fallback {
  order: Order;
  firing: Firing;
  startedAt: string;
}

/** How a difference is put right: from what an execution tells, or by what its absence lets one conclude. */
export type Remedy =
  | { kind: 'recover'; workflowId: string; runId?: string; fallback?: Fallback }
  | { kind: 'conclude'; order: Order; firing: Firing; outcome: Outcome; reason: string }
  | { kind: 'none' };

/** One tick, or one firing by hand, in which ticks, executions and rows do not agree. */
export interface Difference {
  source: string;
  /** ISO. */
  scheduledAt: string;
  kind: 'no_row' | 'lost_row' | 'unended_row' | 'contradicted_row' | 'forgotten';
  /** A sentence: what is known of it. */
  known: string;
  remedy: Remedy;
}

/** All that is known of a definition's own ticks in a span. */
export interface OwnFacts {
  uuid: string;
  definitionId: string;
  expected: ReadonlyMap<number, ExpectedTick>;
  rows: TickRow[];
  executions: Execution[];
  pauses: Pause[];
  /** Executions that closed after this may not show their rows yet. */
  settledMs: number;
  /** Executions that closed before this are not kept any more. */
  keptSinceMs: number;
  /** Why a tick of the schedule was not fired when neither a pause nor another run explains it. */
  explainMissed: (tick: ExpectedTick) => string;
}

/** Compares one tick's row with its executions, or an execution by hand with its row. */
export function compareRow(
  row: TickRow | undefined,
  executions: Execution[],
  { settledMs }: Pick<OwnFacts, 'settledMs'>,
  order?: Order,
): Difference | undefined {
  const isOpen = executions.some(({ closeMs }) => closeMs === undefined || closeMs >= settledMs);
  const closed = executions.at(-1);
  if (isOpen || (row !== undefined && row.outcome !== null && row.certainty !== 'concluded')) return undefined;
  const { source = ownSource, scheduledAt = '' } = row ?? {};
  if (closed !== undefined) {
    const { workflowId, runId, outcome } = closed;
    const remedy = { kind: 'recover', workflowId, runId } as const;
    const at = new Date(closed.scheduledMs ?? closed.startMs).toISOString();
    if (row === undefined)
      return { source, scheduledAt: at, kind: 'lost_row', known: reasons.lostRow(outcome), remedy };
    if (row.outcome === null) return { source, scheduledAt, kind: 'unended_row', known: reasons.unended, remedy };
    return { source, scheduledAt, kind: 'contradicted_row', known: reasons.contradicted(row.outcome), remedy };
  }
  if (row === undefined || row.outcome !== null || row.workflowId === '') return undefined;
  const { trigger, actor, workflowId, workflowRunId, isDryRun, startedAt } = row;
  const dryRun = isDryRun ? { dryRun: true as const } : {};
  const firing: Firing = { source, trigger, actor, scheduledAt, workflowId, workflowRunId, ...dryRun };
  const remedy = { kind: 'recover', workflowId, ...(order && { fallback: { order, firing, startedAt } }) } as const;
  return { source, scheduledAt, kind: 'unended_row', known: reasons.unknownEnd, remedy };
}

/** What becomes of an expected tick that has neither a row nor an execution. */
export function judgeSilence(tick: ExpectedTick, facts: OwnFacts): Difference {
  const { tickMs, order } = tick;
  const scheduledAt = new Date(tickMs).toISOString();
  const blank = { source: ownSource, scheduledAt };
  const { outcome, reason } = explainSilence(tick, facts);
  // The journal tells of a pause for ever; that there was no execution is known only as long as they are kept.
  if (tickMs < facts.keptSinceMs && outcome !== 'paused') {
    const keptMs = facts.settledMs - facts.keptSinceMs;
    return { ...blank, kind: 'forgotten', known: reasons.forgotten(keptMs), remedy: { kind: 'none' } };
  }
  const firing = nameTick(ownSource, scheduledAt);
  return { ...blank, kind: 'no_row', known: reason, remedy: { kind: 'conclude', order, firing, outcome, reason } };
}

function explainSilence(tick: ExpectedTick, facts: OwnFacts): { outcome: Outcome; reason: string } {
  const { tickMs, order } = tick;
  const pause = facts.pauses.find(({ fromMs, toMs }) => fromMs <= tickMs && tickMs < toMs);
  if (pause !== undefined && tickMs >= pause.sureMs) return { outcome: 'paused', reason: reasons.paused(pause) };
  // The run of an earlier tick that was still open, or that the server began only later, as far as it makes up for what is late.
  const latestMs = catchupWindowMs(order) + startLagMs;
  const inTheWay = facts.executions.find(({ scheduledMs, startMs, closeMs = Infinity }) => {
    if (scheduledMs === undefined || scheduledMs >= tickMs || closeMs < tickMs) return false;
    return startMs <= tickMs || startMs - scheduledMs <= latestMs;
  });
  if (inTheWay !== undefined) return { outcome: 'overlap_skipped', reason: nameInTheWay(inTheWay, facts) };
  if (pause !== undefined) return { outcome: 'paused', reason: reasons.pausedMaybe(pause) };
  const left = facts.executions.find(({ scheduledMs, closeMs }) => {
    if (scheduledMs === undefined || scheduledMs >= tickMs || closeMs === undefined) return false;
    return closeMs < tickMs && tickMs - closeMs < noticeMs;
  });
  if (left !== undefined) return { outcome: 'overlap_skipped', reason: nameInTheWay(left, facts) };
  return { outcome: 'missed', reason: facts.explainMissed(tick) };
}

/** How long after the end of a run the server may still take it for one that is going. */
const noticeMs = 1_000;
/** How long a busy server may take to start what it has decided to start. */
const startLagMs = 10_000;

function nameInTheWay({ scheduledMs = 0, startMs, closeMs, workflowId }: Execution, facts: OwnFacts): string {
  const row = facts.rows.find((one) => one.workflowId === workflowId);
  const isByHand = row === undefined ? !facts.expected.has(scheduledMs) : row.trigger !== 'schedule';
  if (isByHand) return reasons.overlapByHand(startMs, workflowId, closeMs);
  const runId = row?.id ?? runIdOf(facts.uuid, nameTick(ownSource, new Date(scheduledMs).toISOString()));
  return reasons.overlap({ tickMs: scheduledMs, runId, workflowId }, closeMs);
}

/** The firing of a tick that nobody fired. */
export function nameTick(source: string, scheduledAt: string): Firing {
  const isOwn = source === ownSource;
  const [trigger, actor] = isOwn ? (['schedule', 'schedule'] as const) : (['external', source] as const);
  return { source, trigger, actor, scheduledAt, workflowId: '', workflowRunId: '' };
}
