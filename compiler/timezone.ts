import { suggestName } from '../expressions/closest-name.ts';
import type { Fault } from '../expressions/fault.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * Refuses what is not the name of an IANA time zone. Names are compared with their case, because the server reads
 * them from files; links such as `Asia/Kolkata` are taken as they are.
 */
export function findTimezoneFault(name: string): Fault | undefined {
  if (name === 'UTC' || formats.has(name)) return undefined;
  const known = Intl.supportedValuesOf('timeZone');
  const isSpelled = known.includes(name) || !known.some((zone) => zone.toLowerCase() === name.toLowerCase());
  if (isSpelled && /^[A-Z][A-Za-z0-9+_-]*(\/[A-Z][A-Za-z0-9+_-]*)*$/.test(name) && openZone(name)) return undefined;
  const byCity = known.find(
    (zone) => zone.split('/').at(-1)?.toLowerCase() === name.toLowerCase().replaceAll(' ', '_'),
  );
  const hint = byCity === undefined ? suggestName(name, known, 'see the tz database') : `did you mean \`${byCity}\`?`;
  return {
    offset: 0,
    message: `\`${name}\` is not a time zone; expected an IANA name such as UTC or Europe/Berlin`,
    hint,
  };
}

/** The instant, in epoch milliseconds, at which a date begins in a zone; where midnight is skipped, what follows it. */
export function startOfDay(year: number, month: number, day: number, timezone: string): number {
  const wanted = Date.UTC(year, month - 1, day);
  const format = openZone(timezone);
  if (timezone === 'UTC' || !format) return wanted;
  const first = wanted - offsetAt(format, wanted);
  const second = wanted - offsetAt(format, first);
  const candidates = [Math.min(first, second), Math.max(first, second)];
  return candidates.find((instant) => instant + offsetAt(format, instant) >= wanted) ?? second;
}

/** What the clocks of a zone show at an instant, as if it were UTC; epoch milliseconds. */
export function readWallTime(instant: number, timezone: string): number {
  const format = openZone(timezone);
  return timezone === 'UTC' || !format ? instant : instant + offsetAt(format, instant);
}

/**
 * The instant that a local time of a zone stands for, as Go's `time.Date` chooses it: by the offset that holds where the
 * same figures are read as UTC. A time that the clocks skip gives one beside the gap.
 */
export function resolveWallTime(wall: number, timezone: string): number {
  const format = openZone(timezone);
  if (timezone === 'UTC' || !format) return wall;
  const guess = wall - offsetAt(format, wall);
  return wall - offsetAt(format, guess);
}

function openZone(name: string): Intl.DateTimeFormat | undefined {
  const open = formats.get(name);
  if (open) return open;
  try {
    const numeric = 'numeric';
    const fields = {
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    } as const;
    const format = new Intl.DateTimeFormat('en-US', { ...fields, timeZone: name, hourCycle: 'h23', era: 'short' });
    formats.set(name, format);
    return format;
  } catch {
    return undefined;
  }
}

/** Local time minus UTC at an instant, in milliseconds. */
function offsetAt(format: Intl.DateTimeFormat, instant: number): number {
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const read = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return Date.UTC(read('year'), read('month') - 1, read('day'), read('hour'), read('minute'), read('second')) - instant;
}
