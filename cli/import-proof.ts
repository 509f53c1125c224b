import { compareTicks } from '../importers/compare-ticks.ts';
import type { ImportedDefinition } from '../importers/imported-definition.ts';
import { listTicks } from '../ticks/ticks.ts';
import type { Cadence } from '../workflows/contract.ts';
import { listCalendarTimes } from './calendar-reference.ts';
import { listCronTimes } from './cron-reference.ts';

/** Whether a definition fires when the original does, as another reader than ours has it. Times are ISO, in UTC. */
export interface Proof {
  /** Who read the original; null where nobody could, and `why` says so. */
  reader: 'cron-parser' | 'systemd-analyze' | null;
  why?: string;
  /** 400, or another span where it fires seldom or very often. */
  days: number;
  from: string;
  to: string;
  /** How often the original fires, and the definition. */
  firings: number | null;
  compiled: number;
  isSame: boolean;
  missing: string[];
  extra: string[];
  cause?: string;
}

/** How far ahead it is proven. */
export const provenDays = 400;

const dayMs = 86_400_000;
/** Where nothing fires in that time: a day that comes every fourth year is within it. */
const rareDays = 9 * 366;
/** Where it fires several times a minute: more would take minutes, and show nothing else. */
const denseDays = 3;
/** Once a minute. */
const mostTicks = provenDays * 1_440 + 60;

type Answer = { instants: number[] } | { missing: string };

/** A span of time, and what was found in it before: several jobs may fire at the same times. */
interface Span {
  fromMs: number;
  toMs: number;
  days: number;
  listed: Map<string, number[]>;
  read: Map<string, Answer>;
}

/** Proves definitions one by one; what several have in common is read once. */
export function openProver(now: Date): (imported: ImportedDefinition) => Promise<Proof> {
  const fromMs = Math.ceil(now.getTime() / 60_000) * 60_000;
  const spans = new Map<number, Span>();
  const open = (days: number): Span => {
    const span = spans.get(days) ?? { fromMs, toMs: fromMs + days * dayMs, days, listed: new Map(), read: new Map() };
    spans.set(days, span);
    return span;
  };
  return async (imported) => {
    const { intervals } = imported.definition.order.cadence;
    const isDense = intervals.some(({ everyMs }) => everyMs < 60_000);
    const proof = await proveWithin(imported, open(isDense ? denseDays : provenDays));
    return proof.firings === 0 && proof.compiled === 0 ? proveWithin(imported, open(rareDays)) : proof;
  };
}

async function proveWithin({ job, definition }: ImportedDefinition, span: Span): Promise<Proof> {
  const { cadence } = definition.order;
  const ticks = listOnce(cadence, span);
  const bounds = { days: span.days, from: new Date(span.fromMs).toISOString(), to: new Date(span.toMs).toISOString() };
  const { times } = job;
  const unproven = { ...bounds, firings: null, compiled: ticks.length, isSame: false, missing: [], extra: [] };
  if (times.kind === 'unknowable') return { reader: null, why: times.why, ...unproven };
  const key = JSON.stringify(times);
  const answer =
    span.read.get(key) ??
    (times.kind === 'cron'
      ? readCron(times, span.fromMs, span.toMs)
      : await listCalendarTimes(times, span.fromMs, span.toMs, ticks.length));
  span.read.set(key, answer);
  if ('missing' in answer) return { reader: null, why: answer.missing, ...unproven };
  const { missing, extra, cause } = compareTicks(answer.instants, ticks, cadence.timezone);
  return {
    reader: times.kind === 'cron' ? 'cron-parser' : 'systemd-analyze',
    ...bounds,
    ...{ firings: answer.instants.length, compiled: ticks.length },
    isSame: missing.length === 0 && extra.length === 0,
    ...{ missing: missing.map(writeInstant), extra: extra.map(writeInstant) },
    ...(cause === undefined ? {} : { cause }),
  };
}

function listOnce(cadence: Cadence, { fromMs, toMs, listed }: Span): number[] {
  const key = JSON.stringify({ ...cadence, jitterMs: 0 });
  const known = listed.get(key);
  if (known) return known;
  const list = listTicks(cadence, fromMs, toMs, mostTicks);
  const ticks = 'ticksMs' in list ? list.ticksMs : [];
  listed.set(key, ticks);
  return ticks;
}

function writeInstant(instantMs: number): string {
  return new Date(instantMs).toISOString().replace('.000Z', 'Z');
}

/** What the other reader cannot read is not proven, and that is no reason to end. */
function readCron(times: Parameters<typeof listCronTimes>[0], fromMs: number, toMs: number): Answer {
  try {
    return { instants: listCronTimes(times, fromMs, toMs) };
  } catch (error) {
    return {
      missing: `cron-parser does not read \`${times.text}\`: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
