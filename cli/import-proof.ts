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
/** One a second. */
const mostTicks = provenDays * 86_400 + 1;

/** Proves definitions one by one; what several have in common is read once. */
export function openProver(now: Date): (imported: ImportedDefinition) => Promise<Proof> {
  const fromMs = Math.ceil(now.getTime() / 60_000) * 60_000;
  const toMs = fromMs + provenDays * dayMs;
  const span = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
  const listed = new Map<string, number[]>();
  const read = new Map<string, Promise<{ instants: number[] } | { missing: string }>>();
  const list = (cadence: Cadence): number[] => {
    const key = JSON.stringify(cadence);
    const known = listed.get(key);
    if (known) return known;
    const list = listTicks(cadence, fromMs, toMs, mostTicks);
    const ticks = 'ticksMs' in list ? list.ticksMs : [];
    listed.set(key, ticks);
    return ticks;
  };
  return async ({ job, definition }) => {
    const { cadence } = definition.order;
    const ticks = list({ ...cadence, jitterMs: 0 });
    const { times } = job;
    const unproven = { ...span, firings: null, compiled: ticks.length, isSame: false, missing: [], extra: [] };
    if (times.kind === 'unknowable') return { reader: null, why: times.why, ...unproven };
    const key = JSON.stringify(times);
    const asked =
      read.get(key) ??
      (times.kind === 'cron'
        ? Promise.resolve(readCron(times, fromMs, toMs))
        : listCalendarTimes(times, fromMs, toMs, ticks.length));
    read.set(key, asked);
    const answer = await asked;
    if ('missing' in answer) return { reader: null, why: answer.missing, ...unproven };
    const { missing, extra, cause } = compareTicks(answer.instants, ticks, cadence.timezone);
    return {
      reader: times.kind === 'cron' ? 'cron-parser' : 'systemd-analyze',
      ...span,
      ...{ firings: answer.instants.length, compiled: ticks.length },
      isSame: missing.length === 0 && extra.length === 0,
      ...{ missing: missing.map(writeInstant), extra: extra.map(writeInstant) },
      ...(cause === undefined ? {} : { cause }),
    };
  };
}

function writeInstant(instantMs: number): string {
  return new Date(instantMs).toISOString().replace('.000Z', 'Z');
}

/** What the other reader cannot read is not proven, and that is no reason to end. */
function readCron(
  times: Parameters<typeof listCronTimes>[0],
  fromMs: number,
  toMs: number,
): { instants: number[] } | { missing: string } {
  try {
    return { instants: listCronTimes(times, fromMs, toMs) };
  } catch (error) {
    return {
      missing: `cron-parser does not read \`${times.text}\`: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
