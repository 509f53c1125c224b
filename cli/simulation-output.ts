import type { Definition } from '../compiler/definition.ts';
import { formatDuration } from '../compiler/duration.ts';
import { catchupWindowMs } from '../compiler/server-limits.ts';
import { fates } from '../simulation/fate.ts';
import type { Fate, SimulatedTick } from '../simulation/fate.ts';
import type { Outage } from '../simulation/outages.ts';
import type { Span } from '../simulation/time-text.ts';
import type { Zone } from '../ticks/zone.ts';
import type { Colors, Output } from './output.ts';
import { formatTable } from './table.ts';

/** A simulation that has been done, with everything it was done under. */
export interface Simulation {
  definition: Definition;
  zone: Zone;
  span: Span;
  outages: Outage[];
  runtimeMs: number;
  ticks: SimulatedTick[];
}

/** A time in the zone of the definition, with the offset where that is not UTC: `2026-03-29 03:30:00+02:00`. */
export function nameTime(instantMs: number, zone: Zone): string {
  const offsetMs = zone.offsetAt(instantMs);
  const local = new Date(instantMs + offsetMs).toISOString().slice(0, 23).replace('T', ' ').replace('.000', '');
  if (offsetMs === 0) return `${local}Z`;
  const offset = new Date(Math.abs(offsetMs)).toISOString().slice(11, 16);
  return `${local}${offsetMs < 0 ? '-' : '+'}${offset}`;
}

/** A time without its date where that is the tick's, and its clocks too. */
function nameTimeAfter(tickMs: number, instantMs: number | undefined, zone: Zone): string {
  if (instantMs === undefined) return '';
  const [tick, instant] = [nameTime(tickMs, zone), nameTime(instantMs, zone)];
  const isSameDay = tick.slice(0, 10) === instant.slice(0, 10) && zone.offsetAt(tickMs) === zone.offsetAt(instantMs);
  return isSameDay ? instant.slice(11).replace(/(Z|[+-]\d\d:\d\d)$/, '') : instant;
}

/** The simulation as `--json` prints it: times in ISO and UTC, null where nothing was started or ended. */
export function describeSimulation({ definition, span, outages, runtimeMs, ticks }: Simulation) {
  const { id, order } = definition;
  return {
    definition: id,
    timezone: order.cadence.timezone,
    ...{ from: iso(span.fromMs), to: iso(span.toMs), runtimeMs },
    policy: {
      misfirePolicy: order.misfire.policy,
      misfireGraceMs: order.misfire.graceMs,
      catchupWindowMs: catchupWindowMs(order),
      hardTimeoutMs: order.budget.hardTimeoutMs,
    },
    outages: outages.map(({ of, fromMs, toMs }) => ({ of, from: iso(fromMs), to: iso(toMs) })),
    ticks: ticks.map(({ tickMs, fate, startedMs, endedMs, reason }) => ({
      tick: iso(tickMs),
      fate,
      startedAt: startedMs === undefined ? null : iso(startedMs),
      endedAt: endedMs === undefined ? null : iso(endedMs),
      reason,
    })),
    summary: { ticks: ticks.length, ...Object.fromEntries(countFates(ticks)) },
  };
}

/** The simulation for people: what it was done under, the table of the ticks, and how many fared how. */
export function formatSimulation(
  simulation: Simulation,
  { colors, columns }: Pick<Output, 'colors' | 'columns'>,
): string {
  const { zone, ticks, outages, definition } = simulation;
  const rows = ticks.map(({ tickMs, fate, startedMs, endedMs, reason }) => [
    nameTime(tickMs, zone),
    paintFate(fate, colors),
    nameTimeAfter(tickMs, startedMs, zone),
    nameTimeAfter(tickMs, endedMs, zone),
    reason,
  ]);
  const head = [`TICK (${definition.order.cadence.timezone})`, 'FATE', 'STARTED', 'ENDED', 'WHY'];
  return [
    describeAssumptions(simulation),
    ...outages.map(
      ({ of, fromMs, toMs }) => `the ${of} is away from ${nameTime(fromMs, zone)} to ${nameTime(toMs, zone)}`,
    ),
    '',
    ...(ticks.length === 0 ? [] : [formatTable(head, rows, { colors, columns }), '']),
    summarize(simulation),
  ].join('\n');
}

function describeAssumptions({ definition, runtimeMs }: Simulation): string {
  const { misfire, budget } = definition.order;
  const show = formatDuration;
  return `${definition.id}: each run takes ${show(runtimeMs)} of ${show(budget.hardTimeoutMs)}; misfire_policy ${misfire.policy}, grace ${show(misfire.graceMs)}, catch-up window ${show(catchupWindowMs(definition.order))}`;
}

function summarize({ ticks, span, zone }: Simulation): string {
  const total = `${ticks.length} tick${ticks.length === 1 ? '' : 's'}`;
  const counts = countFates(ticks).map(([fate, count]) => `${count} ${fate}`);
  const within = `from ${nameTime(span.fromMs, zone)} to ${nameTime(span.toMs, zone)}`;
  return `${total} ${within}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`;
}

function countFates(ticks: SimulatedTick[]): [Fate, number][] {
  const counts = new Map<Fate, number>();
  for (const { fate } of ticks) counts.set(fate, (counts.get(fate) ?? 0) + 1);
  return fates.flatMap((fate) => (counts.has(fate) ? [[fate, counts.get(fate) ?? 0]] : []));
}

function paintFate(fate: Fate, colors: Colors): string {
  switch (fate) {
    case 'ran':
      return colors.green(fate);
    case 'dropped':
    case 'timed_out':
    case 'given_up':
      return colors.red(fate);
    case 'late_run':
    case 'overlap_skipped':
    case 'misfire_skipped':
    case 'cancelled':
      return colors.yellow(fate);
  }
}

function iso(instantMs: number): string {
  return new Date(instantMs).toISOString();
}
