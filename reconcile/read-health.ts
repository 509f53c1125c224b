import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { compileFiles, prepareCompiler } from '../compiler/compile-files.ts';
import type { Definition } from '../compiler/definition.ts';
import { findDue } from '../history/due-facts.ts';
import type { HealthFacts, ScheduleFact } from '../history/health-facts.ts';
import {
  countGaps,
  countQuarantined,
  countTooShort,
  listApplied,
  listFailing,
  listHeadroom,
  listRetiredReports,
  listRunning,
  listUnreconciled,
  measureSize,
} from '../history/health-queries.ts';
import type { AppliedText, Span } from '../history/health-queries.ts';
import { findLastLook, listPausedIds } from '../history/schedule-states.ts';
import { listSourceRetirements } from '../history/source-retirement.ts';
import type { ListedRetirement } from '../history/source-retirement.ts';
import { compileSchedule } from '../schedules/desired.ts';
import { findDrift } from '../schedules/drift.ts';
import { forEachAtOnce } from '../schedules/each.ts';
import { observeSchedule } from '../schedules/observe.ts';
import type { ObservedSchedule } from '../schedules/observe.ts';
import { listDue } from './due-ticks.ts';

/** The definitions by which the product looks after itself. */
export const reconcilerId = 'actcore.reconcile-ticks';
const retentionId = 'actcore.retention';

const usualEveryMs = 300_000;
const daysOfMonth = 28;

/** A definition that was applied, compiled; those that this version cannot read any more are the reconciler's to tell of. */
export interface Applied extends AppliedText {
  definition: Definition;
}

/** The definitions that are to be on the server. */
export async function readApplied(pool: pg.Pool): Promise<Applied[]> {
  const texts = await listApplied(pool);
  await prepareCompiler(texts);
  return texts.flatMap((text) => {
    const [definition] = compileFiles([text]).definitions;
    return definition === undefined ? [] : [{ ...text, definition }];
  });
}

/** What the server has of them; by id, without those that it does not have. */
export async function observeApplied(client: Client, applied: Applied[]): Promise<Map<string, ObservedSchedule>> {
  const observed = await forEachAtOnce(applied, ({ id }) => observeSchedule(client, id));
  return new Map(observed.flatMap((schedule) => (schedule === undefined ? [] : [[schedule.id, schedule] as const])));
}

/** Where the facts come from: `observed` is a sentence where Temporal does not answer. */
export interface HealthScope {
  pool: pg.Pool;
  applied: Applied[];
  observed: Map<string, ObservedSchedule> | string;
  taskQueue: string;
  /** As it was asked for, and in milliseconds. */
  period: string;
  periodMs: number;
  now: Date;
}

/** Reads all that health is derived from. */
export async function readHealthFacts(scope: HealthScope): Promise<HealthFacts> {
  const { pool, applied, observed, taskQueue, period, periodMs, now } = scope;
  const span: Span = { since: new Date(now.getTime() - periodMs), until: now };
  const paused = typeof observed === 'string' ? await listPausedIds(pool) : listPaused(observed);
  const retirements = groupRetirements(await listSourceRetirements(pool));
  const dues = applied.flatMap(({ definition, appliedAt, enabled }) =>
    listDue(definition, {
      ...{ appliedAt, now, isFiring: enabled && !paused.has(definition.id) },
      retirements: retirements.get(definition.uuid) ?? [],
    }),
  );
  const orders = new Map(applied.map(({ id, definition }) => [id, definition.order]));
  const budgets = new Map([...orders].map(([id, { budget }]) => [id, budget.maxSeconds * 1_000]));
  const running = await listRunning(pool);
  const retention = describeRetention(applied);
  return {
    period,
    enabled: applied.filter(({ enabled }) => enabled).length,
    ...(typeof observed === 'string'
      ? { temporalFault: observed }
      : { schedules: applied.map((one) => describeSchedule(one, observed.get(one.id), taskQueue)) }),
    retiredReports: await listRetiredReports(pool, span),
    failing: await listFailing(pool, span),
    dues: await findDue(pool, dues),
    running: running.map((run) => {
      const hardTimeoutMs = orders.get(run.definitionId)?.budget.hardTimeoutMs;
      return { ...run, ...(hardTimeoutMs === undefined ? {} : { hardTimeoutMs }) };
    }),
    gaps: await countGaps(pool, span),
    unreconciled: await listUnreconciled(pool, reconcilerId),
    quarantined: await countQuarantined(pool),
    headroom: await listHeadroom(pool, span, budgets),
    tooShort: await countTooShort(pool, span),
    reconciler: await describeReconciler(pool, applied),
    history: await measureSize(pool),
    ...(retention === undefined ? {} : { retention }),
  };
}

function groupRetirements(all: ListedRetirement[]): Map<string, ListedRetirement[]> {
  const groups = new Map<string, ListedRetirement[]>();
  for (const one of all) groups.set(one.definitionUuid, [...(groups.get(one.definitionUuid) ?? []), one]);
  return groups;
}

function listPaused(observed: Map<string, ObservedSchedule>): Set<string> {
  return new Set([...observed.values()].filter(({ paused }) => paused).map(({ id }) => id));
}

function describeSchedule(
  { id, definition }: Applied,
  observed: ObservedSchedule | undefined,
  taskQueue: string,
): ScheduleFact {
  if (observed === undefined) return { definitionId: id, isThere: false, drift: [] };
  // Where it is served by others than here, that is no drift.
  const desired = compileSchedule(definition, observed.isOurs ? observed.taskQueue : taskQueue);
  return { definitionId: id, isThere: true, drift: findDrift(desired, observed).fields };
}

async function describeReconciler(pool: pg.Pool, applied: Applied[]): Promise<HealthFacts['reconciler']> {
  const lastLook = await findLastLook(pool);
  const own = applied.find(({ id, enabled }) => id === reconcilerId && enabled);
  const everyMs = own?.definition.order.cadence.intervals[0]?.everyMs ?? usualEveryMs;
  return {
    ...{ id: reconcilerId, everyMs },
    ...(lastLook === undefined ? {} : { lastLook: lastLook.toISOString() }),
    ...(own === undefined ? {} : { appliedAt: own.appliedAt }),
  };
}

/** What the checks of the retention keep, or the definition that keeps its own rows longest. */
function describeRetention(applied: Applied[]): HealthFacts['retention'] {
  const own = applied.find(({ id, enabled }) => id === retentionId && enabled)?.definition.order;
  if (own?.kind !== 'watchdog') return undefined;
  const check = own.watchdog.checks.find(({ name }) => name === 'expired-months');
  const keepMonths = check?.params['keep_months'];
  if (typeof keepMonths !== 'number') return undefined;
  const longestDays = Math.max(0, ...applied.map(({ definition }) => readKeptDays(definition.frontmatter)));
  return { id: retentionId, keepMonths: Math.max(keepMonths, Math.ceil(longestDays / daysOfMonth)) };
}

function readKeptDays({ retention }: Record<string, unknown>): number {
  const { runs } = (retention ?? {}) as { runs?: unknown };
  return typeof runs === 'string' ? Number.parseInt(runs, 10) : 0;
}
