import type { CutoverTerms } from '../compiler/cutover.ts';
import { isTick, listTicks } from '../ticks/ticks.ts';
import type { Cadence, Order } from '../workflows/contract.ts';
import { reasons } from './reasons.ts';
import type { Period } from './timeline.ts';

/** What the kept file of a revision says of its ticks. */
export interface Plan {
  order: Order;
  enabled: boolean;
  /** When its outside sources are expected to fire. */
  sources: Record<string, Cadence>;
  /** By what the work goes from one source to another; absent where only the server's order is left. */
  cutover?: CutoverTerms;
}

/** One expected firing. */
export interface ExpectedTick {
  tickMs: number;
  order: Order;
  period: Period;
}

/** The expected firings of a source in a span, and what stands in the way of knowing them. */
export interface Expectation {
  ticks: Map<number, ExpectedTick>;
  faults: string[];
}

/** Where the ticks of a definition come from. */
export interface TickSources {
  periods: Period[];
  plans: ReadonlyMap<string, Plan>;
  /** Asks the server for the ticks of the schedule that it has now; absent where it has none. */
  askServer?: (fromMs: number, toMs: number) => Promise<number[]>;
}

/** The most ticks of one definition that are looked at in one go, and that the server is asked for. */
export const mostTicks = 100_000;
/** How much earlier than the journal says a revision may have come into force. */
const doubtMs = 60_000;

/** The ticks that our own schedule was to fire from one moment on and before another. */
export async function listExpected(
  { periods, plans, askServer }: TickSources,
  fromMs: number,
  toMs: number,
): Promise<Expectation> {
  const ticks: Expectation['ticks'] = new Map();
  const faults = new Set<string>();
  for (const [index, period] of periods.entries()) {
    const plan = plans.get(period.revision);
    const span = { from: Math.max(fromMs, period.fromMs), to: Math.min(toMs, period.toMs) };
    if (span.from >= span.to || period.isRetired) continue;
    if (plan === undefined) {
      faults.add(reasons.uncompilable(period.revision));
      continue;
    }
    if (!(period.seen?.enabled ?? plan.enabled)) continue;
    const cadence = period.seen?.cadence ?? plan.order.cadence;
    // The server names its starts, which jitter moves; a run is known by the tick that it is the start of.
    const isAsked =
      askServer !== undefined && period.toMs === Infinity && period.seen !== undefined && cadence.jitterMs === 0;
    const listed = isAsked ? await askServer(span.from, span.to) : computeTicks(cadence, span.from, span.to);
    if (listed === undefined || listed.length >= mostTicks) faults.add(reasons.tooMany(mostTicks));
    const next = periods[index + 1];
    for (const tickMs of listed ?? []) {
      if (isCertain(tickMs, period, next, plans)) ticks.set(tickMs, { tickMs, order: plan.order, period });
    }
  }
  return { ticks, faults: [...faults] };
}

/** Close before a change whose time is known only from the journal, a tick counts when both sides have it. */
function isCertain(
  tickMs: number,
  { toMs, endsExactly }: Period,
  next: Period | undefined,
  plans: ReadonlyMap<string, Plan>,
): boolean {
  if (endsExactly || tickMs < toMs - doubtMs) return true;
  if (next === undefined || next.fromMs !== toMs || next.isRetired) return false;
  const plan = plans.get(next.revision);
  const isOn = next.seen?.enabled ?? plan?.enabled === true;
  return isOn && plan !== undefined && isTick(next.seen?.cadence ?? plan.order.cadence, tickMs);
}

/** The ticks that an outside source was to fire: of every revision that names it, whether our own schedule is on or not. */
export function listOutside(
  { periods, plans }: TickSources,
  source: string,
  fromMs: number,
  toMs: number,
): Expectation {
  const ticks: Expectation['ticks'] = new Map();
  const faults = new Set<string>();
  for (const period of periods) {
    const plan = plans.get(period.revision);
    const cadence = plan?.sources[source];
    if (plan === undefined || cadence === undefined || period.isRetired) continue;
    const listed = computeTicks(cadence, Math.max(fromMs, period.fromMs), Math.min(toMs, period.toMs));
    if (listed === undefined) faults.add(reasons.tooMany(mostTicks));
    for (const tickMs of listed ?? []) ticks.set(tickMs, { tickMs, order: plan.order, period });
  }
  return { ticks, faults: [...faults] };
}

function computeTicks(cadence: Cadence, fromMs: number, toMs: number): number[] | undefined {
  const listed = listTicks(cadence, fromMs, toMs, mostTicks);
  return 'ticksMs' in listed ? listed.ticksMs : undefined;
}
