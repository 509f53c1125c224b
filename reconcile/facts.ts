import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { compileFiles, prepareCompiler } from '../compiler/compile-files.ts';
import { catchupWindowMs } from '../compiler/server-limits.ts';
import { listForeignRevisions, listInForceEvents, readRevisionTexts } from '../history/in-force.ts';
import type { TrackedDefinition } from '../history/in-force.ts';
import { listPauses } from '../history/pauses.ts';
import type { JournaledPause } from '../history/pauses.ts';
import { listStates } from '../history/schedule-states.ts';
import type { SeenState } from '../history/schedule-states.ts';
import { listRowsAt, listTickRows } from '../history/tick-rows.ts';
import { listMatchingTimes } from '../schedules/matching-times.ts';
import { observeSchedule } from '../schedules/observe.ts';
import type { ObservedSchedule } from '../schedules/observe.ts';
import type { Order } from '../workflows/contract.ts';
import type { Span } from './account.ts';
import type { Execution } from './executions.ts';
import { listExpected } from './expected.ts';
import type { ExpectedTick, Plan, TickSources } from './expected.ts';
import type { OwnFacts } from './judge.ts';
import { compareLook } from './look.ts';
import type { Look } from './look.ts';
import { readOutside } from './outside.ts';
import type { OutsideFacts } from './outside.ts';
import { reasons } from './reasons.ts';
import { refineLook } from './remember.ts';
import { buildPauses, buildPeriods } from './timeline.ts';
import type { Period } from './timeline.ts';

/** What a survey asks, and how old what it judges must be. */
export interface SurveyScope {
  client: Client;
  pool: pg.Pool;
  now: Date;
  /** The first tick that is looked at. */
  fromMs: number;
  /** Visibility is eventually consistent, and a run takes a moment to write its row: younger ticks are left alone. */
  settleMs: number;
  /** How long the server keeps what has ended. */
  retentionMs: number;
  /** Whether runs that were open at `fromMs`, and reports that could come only since, are looked at whenever they were due. */
  goesBack: boolean;
}

/** All that is known of the ticks of one definition in a span. */
export interface DefinitionFacts {
  id: string;
  uuid: string;
  /** Of our own ticks. */
  span: Span;
  own: OwnFacts;
  plans: ReadonlyMap<string, Plan>;
  /** What is in force now; absent where nothing is any more, or its revision cannot be read. */
  plan?: Plan;
  outside: OutsideFacts[];
  /** Why the expected ticks are not known in full. */
  faults: string[];
  look?: Look;
}

/** Reads what was expected of one definition and what became of it. Writes nothing. */
export async function readFacts(
  scope: SurveyScope,
  tracked: TrackedDefinition,
  found: Execution[],
): Promise<DefinitionFacts> {
  const { client, pool, now, fromMs, settleMs, retentionMs, goesBack } = scope;
  const { id, uuid, ids } = tracked;
  const foreign = await listForeignRevisions(pool, tracked);
  const executions = found.filter(({ revision }) => !foreign.has(revision));
  const span: Span = {
    fromMs,
    toMs: now.getTime() - settleMs,
    ...(goesBack && { also: listEarlier(executions, fromMs) }),
  };
  const states = await listStates(pool, uuid, new Date(fromMs));
  const journaled = await listPauses(pool, ids);
  const observed = await observeOwn(client, tracked);
  const remembered = { state: states.at(-1), pause: journaled.at(-1) };
  const look = observed && (await refineLook(pool, compareLook(observed, remembered, now)));
  const events = await listInForceEvents(pool, tracked);
  const sights = look === undefined ? states : [...states, { ...look.state, firstSeen: now.toISOString() }];
  const periods = buildPeriods(events, sights);
  const plansFromMs = goesBack ? fromMs - longestReportMs : fromMs;
  const plans = await readPlans(pool, uuid, periods, { fromMs: plansFromMs, toMs: span.toMs }, observed);
  const rows = [
    ...(await listRowsAt(pool, tracked, [...(span.also ?? [])])),
    ...(await listTickRows(pool, tracked, new Date(fromMs), new Date(span.toMs))),
  ];
  const sources: TickSources = {
    ...{ periods, plans },
    ...(observed && { askServer: (from: number, to: number) => listMatchingTimes(client, observed.id, from, to) }),
  };
  const expectation = await listExpected(sources, span.fromMs, span.toMs);
  const own: OwnFacts = {
    ...{ uuid, definitionId: id, expected: expectation.ticks, rows, executions },
    pauses: buildPauses([...journaled, ...describePause(look)]),
    settledMs: span.toMs,
    keptSinceMs: now.getTime() - retentionMs,
    explainMissed: (tick: ExpectedTick) => explainMissed(tick, { id, states, look }),
  };
  const plan = plans.get(periods.at(-1)?.revision ?? '');
  return {
    ...{ id, uuid, span, own, plans, faults: expectation.faults },
    outside: await readOutside(scope, tracked, sources, rows),
    ...(plan && { plan }),
    ...(look && { look }),
  };
}

/** Longer than a run may take: a tick that is judged only when its report is over may be due by a revision that old. */
const longestReportMs = 2 * 86_400_000;

/** When the firings were due that were still going at a time, and that no earlier look could judge. */
function listEarlier(executions: Execution[], fromMs: number): Set<number> {
  const ended = executions.filter(({ closeMs }) => closeMs !== undefined);
  return new Set(ended.map(({ scheduledMs, startMs }) => scheduledMs ?? startMs).filter((atMs) => atMs < fromMs));
}

/** The schedule of this definition, and not of another one that has its id by now. */
async function observeOwn(
  client: Client,
  { id, uuid }: TrackedDefinition,
): Promise<(ObservedSchedule & { order: Order }) | undefined> {
  const observed = await observeSchedule(client, id);
  if (observed?.order?.definition.uuid.toLowerCase() !== uuid.toLowerCase()) return undefined;
  return { ...observed, order: observed.order };
}

/** What the kept files of the revisions in force say; the server's order stands in for one that the history lost. */
async function readPlans(
  pool: pg.Pool,
  uuid: string,
  periods: Period[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
  observed: (ObservedSchedule & { order: Order }) | undefined,
): Promise<Map<string, Plan>> {
  const wanted = periods.filter((period) => period.toMs > fromMs && period.fromMs < toMs);
  const texts = await readRevisionTexts(pool, uuid, [...new Set(wanted.map(({ revision }) => revision))]);
  await prepareCompiler([...texts.values()]);
  const plans = new Map<string, Plan>();
  if (observed !== undefined) {
    plans.set(observed.order.revision, { order: observed.order, enabled: observed.enabled !== false, sources: {} });
  }
  for (const [revision, { file, text }] of texts) {
    const [definition] = compileFiles([{ file, text }]).definitions;
    if (definition === undefined) continue;
    const { order, enabled, sources, cutover } = definition;
    plans.set(revision, { order, enabled, sources, cutover });
  }
  return plans;
}

/** A pause that this look was the first to see. */
function describePause(look: Look | undefined): JournaledPause[] {
  return look?.pause === undefined ? [] : [look.pause];
}

/** A change this soon after a tick may have come before the server had begun it. */
const changeShadowMs = 5_000;

function explainMissed(
  { tickMs, order, period }: ExpectedTick,
  { id, states, look }: { id: string; states: SeenState[]; look: Look | undefined },
): string {
  if (look === undefined) return reasons.noSchedule(id, states.at(-1)?.lastSeen);
  if (period.toMs - tickMs < changeShadowMs) return reasons.changedJustThen(period.toMs);
  const windowMs = catchupWindowMs(order);
  const before = states.findLast(({ lastSeen, since }) => Date.parse(lastSeen) <= tickMs && since === look.state.since);
  const dropped = look.state.missedCatchup;
  const told =
    before === undefined
      ? reasons.droppedNow(dropped)
      : reasons.droppedSince(dropped - before.missedCatchup, before.lastSeen);
  return reasons.nothingFired(windowMs, told);
}
