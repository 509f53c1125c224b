import type { Client } from '@temporalio/client';
import type pg from 'pg';
import type { ComparedSource, ComparedTick, TickRun } from '../comparison/tick.ts';
import { buildCutover, defaultCutover } from '../compiler/cutover.ts';
import type { CutoverTerms } from '../compiler/cutover.ts';
import type { TrackedDefinition } from '../history/in-force.ts';
import type { SourceRetirement } from '../history/source-retirement.ts';
import { listSourceFindings, listSourceRuns } from '../history/source-runs.ts';
import type { SourceRun, TooMany } from '../history/source-runs.ts';
import { listTicks } from '../ticks/ticks.ts';
import { ownSource } from '../workflows/contract.ts';
import type { Cadence } from '../workflows/contract.ts';
import type { Execution } from './executions.ts';
import { readFacts } from './facts.ts';
import type { DefinitionFacts, SurveyScope } from './facts.ts';
import { forEachDefinition } from './survey-all.ts';
import type { SurveyRequest } from './survey-all.ts';
import { accountFor } from './survey.ts';
import type { DefinitionAccount } from './survey.ts';

/** All ticks of a source with what became of them, and since when it has been in the account. */
export interface SurveyedSource extends ComparedSource {
  /** When it is to fire by the revision that is in force; absent where that does not name it. */
  cadence?: Cadence;
  /** Of an outside source: whether it has ever reported. */
  hasReported: boolean;
  retirement?: SourceRetirement;
}

/** The sources of one definition, ready to be compared. */
export interface SourceSurvey {
  id: string;
  uuid: string;
  account: DefinitionAccount;
  /** The terms of the revision that is in force. */
  cutover: CutoverTerms;
  sources: SurveyedSource[];
}

/** Ticks before the span find theirs as far back as the longest tolerance reaches. */
export const marginMs = 3_600_000;

/** Reads what became of all ticks of one definition, by source; undefined where nobody knows its id. Writes nothing. */
export async function surveySources(
  client: Client,
  pool: pg.Pool,
  request: SurveyRequest & { id: string },
): Promise<SourceSurvey | TooMany | undefined> {
  const from = new Date(request.from.getTime() - marginMs);
  const look = (scope: SurveyScope, tracked: TrackedDefinition, executions: Execution[]) =>
    lookAtSources(scope, tracked, executions, request.from.getTime());
  return (await forEachDefinition(client, pool, { ...request, from }, look))[0];
}

async function lookAtSources(
  scope: SurveyScope,
  tracked: TrackedDefinition,
  executions: Execution[],
  fromMs: number,
): Promise<SourceSurvey | TooMany> {
  const { pool, now } = scope;
  const facts = await readFacts(scope, tracked, executions);
  const account = accountFor(facts);
  const cutover = facts.plan?.cutover ?? buildCutover(defaultCutover, facts.plan ? [facts.plan.order.cadence] : []);
  const span = { since: new Date(fromMs - cutover.toleranceMs), until: now };
  const rows = await listSourceRuns(pool, tracked, span);
  if ('tooMany' in rows) return rows;
  const failed = rows.flatMap(({ id, assessmentFailureCount }) => (assessmentFailureCount > 0 ? [id] : []));
  const findings = await listSourceFindings(pool, failed, span);
  if (!(findings instanceof Map)) return findings;
  const runs = new Map(rows.map((row) => [row, toTickRun(row, findings.get(row.id) ?? [])]));
  const sources = nameSources(facts, rows).map((name) =>
    describeSource(name, facts, account, { runs, startMs: span.since.getTime() }),
  );
  return { id: facts.id, uuid: facts.uuid, account, cutover, sources };
}

/** Our own schedule first; then those that the definition names, and those that only have rows. */
function nameSources({ outside }: DefinitionFacts, rows: SourceRun[]): string[] {
  const named = [...outside, ...rows].map(({ source }) => source).filter((source) => source !== ownSource);
  return [ownSource, ...new Set(named.toSorted())];
}

interface Recorded {
  runs: Map<SourceRun, TickRun>;
  /** From where on ticks are taken. */
  startMs: number;
}

function describeSource(
  source: string,
  facts: DefinitionFacts,
  account: DefinitionAccount,
  { runs, startMs }: Recorded,
): SurveyedSource {
  const outside = facts.outside.find((one) => one.source === source);
  const isOwn = source === ownSource;
  const expected = isOwn ? facts.own.expected : (outside?.expectation.ticks ?? new Map<number, unknown>());
  const ticks = new Map<number, ComparedTick>();
  const byHand: TickRun[] = [];
  for (const tickMs of expected.keys()) if (tickMs >= startMs) ticks.set(tickMs, { tickMs, isExpected: true });
  for (const [{ source: name, trigger, tickMs }, run] of runs) {
    if (name !== source) continue;
    if (trigger === 'schedule' || trigger === 'backfill' || trigger === 'external') {
      ticks.set(tickMs, { tickMs, isExpected: expected.has(tickMs), run });
    } else byHand.push(run);
  }
  for (const { scheduledAt, kind, known, remedy } of account.sources.find((one) => one.source === source)
    ?.differences ?? []) {
    const tick = ticks.get(Date.parse(scheduledAt));
    if (tick === undefined || tick.run !== undefined) continue;
    const outcome = remedy.kind === 'conclude' ? { outcome: remedy.outcome } : {};
    tick.silence = { ...outcome, reason: kind === 'lost_row' ? `${known}: actcore audit --fix brings it back` : known };
  }
  const sorted = [...ticks.values()].sort((one, other) => one.tickMs - other.tickMs);
  const cadence = isOwn ? facts.plan?.order.cadence : facts.plan?.sources[source];
  return {
    ...{ source, byHand, ticks: sorted, settledMs: outside?.settledMs ?? facts.span.toMs },
    ...(cadence && { cadence }),
    hasReported: isOwn || outside?.span !== undefined || sorted.some(({ run }) => run !== undefined),
    ...(outside?.retirement && { retirement: outside.retirement }),
  };
}

/** More times that a cadence leaves out than this are taken for ticks. */
const mostSkipped = 1_000;

/**
 * Since when a source has been in the account from a moment on: that moment, or its first tick where its schedule names times
 * before that, of which nobody expected any. Infinity where there is no tick of it.
 */
export function findCovered({ ticks, cadence }: SurveyedSource, fromMs: number): number {
  const first = ticks.find(({ tickMs }) => tickMs >= fromMs);
  if (first === undefined) return Infinity;
  if (cadence === undefined) return first.tickMs;
  const listed = listTicks(cadence, fromMs, first.tickMs, mostSkipped);
  return 'ticksMs' in listed && listed.ticksMs.length === 0 ? fromMs : first.tickMs;
}

function toTickRun(row: SourceRun, failures: TickRun['failures']): TickRun {
  const { id, outcome, certainty, startedMs, finishedMs, assessment, responseStatus, flags, reason } = row;
  return { id, outcome, certainty, startedMs, finishedMs, assessment, failures, responseStatus, flags, reason };
}
