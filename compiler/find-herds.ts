import type { Cadence, Calendar } from '../workflows/contract.ts';
import { fromRanges } from '../ticks/ranges.ts';
import type { Definition } from './definition.ts';

/** A machine starts some 25 runs a second; more than this at once are late for no reason. */
const mostAtOnce = 20;

const minuteMs = 60_000;
const weekMinutes = 7 * 1_440;
const weekMs = weekMinutes * minuteMs;

/** The first Sunday of the epoch, from which intervals are counted. */
const firstSundayMs = 3 * 1_440 * minuteMs;

/** Definitions that fire together; `id` is the first of them. */
export interface Herd {
  id: string;
  message: string;
  hint: string;
}

/**
 * Finds where more enabled definitions than that fire in the same second of a week in one zone. Counted is what comes
 * at full minutes, the same in every week: calendars without dates, and in UTC intervals that a week is a multiple of.
 */
export function findHerds(definitions: readonly Definition[]): Herd[] {
  const herds: Herd[] = [];
  for (const [timezone, ofZone] of groupByZone(definitions)) {
    const counts = new Uint32Array(weekMinutes);
    for (const { minutes, members } of ofZone.values())
      for (const minute of minutes) counts[minute] = (counts[minute] ?? 0) + members.length;
    const most = counts.reduce((left, right) => Math.max(left, right), 0);
    if (most <= mostAtOnce) continue;
    const minute = counts.indexOf(most);
    const first = [...ofZone.values()].find(({ minutes }) => minutes.has(minute))?.members[0];
    if (!first) continue;
    const when = `${days[Math.floor(minute / 1_440)] ?? ''} ${showTime(minute % 1_440)} ${timezone}`;
    const message = `${most} definitions fire at the same second, such as ${when}, this one among them`;
    const hint = 'give them `spread: 30s`: each gets a second of its own, always the same';
    herds.push({ id: first.id, message, hint });
  }
  return herds;
}

const days = ['Sundays', 'Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays'];

interface Pattern {
  minutes: ReadonlySet<number>;
  members: Definition[];
}

/** Definitions of one zone by what they fire at; many share a pattern, and each pattern is spelled out once. */
function groupByZone(definitions: readonly Definition[]): Map<string, Map<string, Pattern>> {
  const zones = new Map<string, Map<string, Pattern>>();
  for (const definition of definitions) {
    const { timezone, calendars, intervals } = definition.order.cadence;
    const weekly = calendars.filter(isWeekly);
    const regular = intervals.filter(({ everyMs }) => weekMs % everyMs === 0);
    if (!definition.enabled || weekly.length + regular.length === 0) continue;
    const zone = regular.length > 0 ? 'UTC' : timezone;
    const patterns = zones.get(zone) ?? new Map<string, Pattern>();
    zones.set(zone, patterns);
    const key = JSON.stringify([regular, ...weekly.map(({ minute, hour, dayOfWeek }) => [minute, hour, dayOfWeek])]);
    const pattern = patterns.get(key) ?? { minutes: spellOut(weekly, regular), members: [] };
    pattern.members.push(definition);
    patterns.set(key, pattern);
  }
  return zones;
}

function isWeekly({ second, dayOfMonth, month }: Calendar): boolean {
  return second[0]?.start === 0 && fromRanges(dayOfMonth).length === 31 && fromRanges(month).length === 12;
}

function spellOut(calendars: readonly Calendar[], intervals: Cadence['intervals']): Set<number> {
  const minutes = new Set<number>();
  for (const { everyMs, offsetMs } of intervals) {
    for (let minute = 0; minute < weekMinutes; minute += 1)
      if ((firstSundayMs + minute * minuteMs - offsetMs) % everyMs === 0) minutes.add(minute);
  }
  for (const { dayOfWeek, hour, minute } of calendars) {
    for (const day of fromRanges(dayOfWeek)) {
      for (const one of fromRanges(hour))
        for (const two of fromRanges(minute)) minutes.add(day * 1_440 + one * 60 + two);
    }
  }
  return minutes;
}

function showTime(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}
