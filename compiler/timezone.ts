import { suggestName } from '../expressions/closest-name.ts';
import type { Fault } from '../expressions/fault.ts';
import { isZone, offsetAt } from '../ticks/zone-offset.ts';

const accepted = new Set(['UTC']);

/**
 * Refuses what is not the name of an IANA time zone. Names are compared with their case, because the server reads
 * them from files; links such as `Asia/Kolkata` are taken as they are.
 */
export function findTimezoneFault(name: string): Fault | undefined {
  if (accepted.has(name)) return undefined;
  const known = Intl.supportedValuesOf('timeZone');
  const isSpelled = known.includes(name) || !known.some((zone) => zone.toLowerCase() === name.toLowerCase());
  if (isSpelled && /^[A-Z][A-Za-z0-9+_-]*(\/[A-Z][A-Za-z0-9+_-]*)*$/.test(name) && isZone(name)) {
    accepted.add(name);
    return undefined;
  }
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
  const first = wanted - offsetAt(timezone, wanted);
  const second = wanted - offsetAt(timezone, first);
  const candidates = [Math.min(first, second), Math.max(first, second)];
  return candidates.find((instant) => instant + offsetAt(timezone, instant) >= wanted) ?? second;
}
