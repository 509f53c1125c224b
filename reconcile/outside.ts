import type pg from 'pg';
import { findFirstReports } from '../history/in-force.ts';
import type { TrackedDefinition } from '../history/in-force.ts';
import { listSourceRetirements } from '../history/source-retirement.ts';
import type { ListedRetirement, SourceRetirement } from '../history/source-retirement.ts';
import { listTickRows } from '../history/tick-rows.ts';
import type { TickRow } from '../history/tick-rows.ts';
import { listOutside } from './expected.ts';
import type { Expectation, TickSources } from './expected.ts';

/** What is known of the ticks of an outside source. */
export interface OutsideFacts {
  source: string;
  /** Of its ticks; absent where it has never reported, and nothing is expected of it. */
  span?: { fromMs: number; toMs: number };
  expectation: Expectation;
  /** Those of the definition that are as old as its ticks. */
  rows: TickRow[];
  /** When its ticks are old enough to be judged. */
  settledMs: number;
  /** Present while it is retired. */
  retirement?: SourceRetirement;
}

interface Scope {
  pool: pg.Pool;
  fromMs: number;
  now: Date;
  settleMs: number;
  goesBack: boolean;
}

/** Outside sources count from the first tick that they reported; a report may take until the run has ended. */
export async function readOutside(
  { pool, fromMs, now, settleMs, goesBack }: Scope,
  tracked: TrackedDefinition,
  sources: TickSources,
  rowsOfSpan: TickRow[],
): Promise<OutsideFacts[]> {
  const plans = [...sources.plans.values()];
  const names = [...new Set(plans.flatMap((plan) => Object.keys(plan.sources)))].sort();
  if (names.length === 0) return [];
  const firstReports = await findFirstReports(pool, tracked, names);
  const retirements = await listSourceRetirements(pool, tracked.uuid);
  const longestMs = Math.max(...plans.map(({ order }) => order.budget.hardTimeoutMs + order.misfire.graceMs));
  const settledMs = now.getTime() - settleMs - longestMs;
  // Ticks that were due before `fromMs` and were too young to be judged then.
  const sinceMs = goesBack ? fromMs - longestMs : fromMs;
  const rows = goesBack ? await listTickRows(pool, tracked, new Date(sinceMs), new Date(settledMs)) : rowsOfSpan;
  return names.map((source) => {
    const own = retirements.filter((one) => one.source === source);
    const open = own.find(({ revertedAt }) => revertedAt === null);
    const known = { source, rows, settledMs, ...(open && { retirement: pickRetirement(open) }) };
    const first = firstReports.get(source);
    if (first === undefined) return { ...known, expectation: { ticks: new Map(), faults: [] } };
    const span = { fromMs: Math.max(sinceMs, Date.parse(first)), toMs: settledMs };
    return { ...known, span, expectation: leaveOutRetired(listOutside(sources, source, span.fromMs, span.toMs), own) };
  });
}

function pickRetirement({ source, successor, retiredAt, retiredBy }: ListedRetirement): SourceRetirement {
  return { source, successor, retiredAt, retiredBy };
}

/** Nothing is expected of a source from its retirement on until that was taken back. */
function leaveOutRetired({ ticks, faults }: Expectation, retirements: ListedRetirement[]): Expectation {
  const periods = retirements.map(({ retiredAt, revertedAt }) => {
    return { fromMs: Date.parse(retiredAt), toMs: revertedAt === null ? Infinity : Date.parse(revertedAt) };
  });
  const isExpected = (tickMs: number) => periods.every(({ fromMs, toMs }) => tickMs < fromMs || tickMs >= toMs);
  return { ticks: new Map([...ticks].filter(([tickMs]) => isExpected(tickMs))), faults };
}
