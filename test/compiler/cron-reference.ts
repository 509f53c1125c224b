import { CronExpressionParser } from 'cron-parser';
import type { DstPolicy } from '../../compiler/dst.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** All the policies there are. */
export const policies: readonly DstPolicy[] = ['skip', 'once', 'both'];

/**
 * The next 50 firings of a cron text after `from` and before `until` under each policy, in ISO: the local times are an
 * independent library's, and what the clocks do to them is what the documentation says of a policy.
 */
export function listReference(
  text: string,
  timezone: string,
  from: number,
  until: number,
): Record<DstPolicy, string[]> {
  const expression = CronExpressionParser.parse(text, { currentDate: new Date(from - 36 * hourMs), tz: 'UTC' });
  const instants = { skip: new Set<number>(), once: new Set<number>(), both: new Set<number>() };
  let enough = Number.POSITIVE_INFINITY;
  for (;;) {
    const local = expression.next().getTime();
    if (local > enough || local > until + 36 * hourMs) break;
    for (const policy of policies) {
      for (const instant of resolve(timezone, local, policy)) if (instant > from) instants[policy].add(instant);
    }
    if (instants.skip.size >= 50 && enough === Number.POSITIVE_INFINITY) enough = local + 4 * hourMs;
  }
  const take = (found: Set<number>): string[] =>
    [...found]
      .filter((instant) => instant < until)
      .sort((left, right) => left - right)
      .slice(0, 50)
      .map((instant) => new Date(instant).toISOString());
  return { skip: take(instants.skip), once: take(instants.once), both: take(instants.both) };
}

/** The instants of a local time under a policy. */
function resolve(timezone: string, local: number, policy: DstPolicy): number[] {
  const earlier = offsetOf(timezone, local - 24 * hourMs);
  const later = offsetOf(timezone, local + 24 * hourMs);
  if (earlier === later) return [local - earlier];
  const real = [...new Set([local - earlier, local - later])]
    .filter((instant) => instant + offsetOf(timezone, instant) === local)
    .sort((left, right) => left - right);
  if (real.length === 0) return policy === 'skip' ? [] : [local - earlier];
  return policy === 'both' ? real : real.slice(0, 1);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();

/** Local time minus UTC, read from the zone's own text and not as the compiler reads it; clocks move at quarters of an hour. */
function offsetOf(timezone: string, instant: number): number {
  const key = `${timezone} ${Math.floor(instant / (15 * minuteMs))}`;
  const known = offsets.get(key) ?? readOffset(timezone, instant);
  offsets.set(key, known);
  return known;
}

function readOffset(timezone: string, instant: number): number {
  const format =
    formats.get(timezone) ?? new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
  formats.set(timezone, format);
  const text = format.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * minuteMs;
}
