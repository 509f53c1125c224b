import type { Definition } from '../compiler/definition.ts';
import type { Due } from '../history/health-facts.ts';
import type { ListedRetirement } from '../history/source-retirement.ts';
import { listTicks } from '../ticks/ticks.ts';
import { ownSource } from '../workflows/contract.ts';
import type { Cadence } from '../workflows/contract.ts';

/** A tick is due when its row cannot be on its way any more: this long after the start may be late. */
const settleMs = 60_000;
/** An outside source that left out one tick has missed it; one that left out so many is silent. */
const silentTicks = 3;
/** Further back nobody looks for the last ticks of a schedule. */
const spansMs = [3_600_000, 86_400_000, 32 * 86_400_000, 367 * 86_400_000];
const mostTicks = 10_000;

/** What decides which ticks are due by `now`. */
interface DueScope {
  /** ISO. */
  appliedAt: string;
  isFiring: boolean;
  now: Date;
  /** Of the outside sources of this definition. */
  retirements: Pick<ListedRetirement, 'source' | 'revertedAt'>[];
}

/** What our own schedule of a definition, and its outside sources, have to have recorded by `now`. */
export function listDue(
  { id, order, sources }: Pick<Definition, 'id' | 'order' | 'sources'>,
  { appliedAt, isFiring, now, retirements }: DueScope,
): Due[] {
  const { cadence, misfire, budget } = order;
  const fromMs = Date.parse(appliedAt);
  const { hardTimeoutMs } = budget;
  const describe = (source: string, ticksMs: number[]): Due[] => {
    const [first] = ticksMs;
    if (first === undefined) return [];
    const since = new Date(first).toISOString();
    return [
      {
        ...{ definitionId: id, source, since, ticks: ticksMs.length, isOwn: source === ownSource },
        timeoutMs: hardTimeoutMs + misfire.graceMs,
      },
    ];
  };
  const startMs = now.getTime() - misfire.graceMs - cadence.jitterMs - settleMs;
  const own = isFiring ? describe(ownSource, findLast(cadence, fromMs, startMs, 1)) : [];
  const endMs = now.getTime() - misfire.graceMs - hardTimeoutMs - settleMs;
  const outside = Object.entries(sources).flatMap(([name, outer]) => {
    const ends = retirements.flatMap(({ source, revertedAt }) => (source === name ? [revertedAt] : []));
    if (ends.includes(null)) return [];
    const returnsMs = ends.map((at) => Date.parse(at ?? ''));
    const ticksMs = findLast(outer, Math.max(fromMs, ...returnsMs), endMs, silentTicks);
    return ticksMs.length < silentTicks ? [] : describe(name, ticksMs);
  });
  return [...own, ...outside];
}

/** The last ticks from one moment on and before another; fewer where there are no more. */
function findLast(cadence: Cadence, fromMs: number, toMs: number, count: number): number[] {
  for (const spanMs of spansMs) {
    const startMs = Math.max(fromMs, toMs - spanMs);
    if (startMs >= toMs) return [];
    const listed = listTicks(cadence, startMs, toMs, mostTicks);
    if (!('ticksMs' in listed)) return [];
    if (listed.ticksMs.length >= count || startMs === fromMs) return listed.ticksMs.slice(-count);
  }
  return [];
}
