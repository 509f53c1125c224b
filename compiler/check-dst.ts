import { listMinutes } from './calendar-match.ts';
import { isMapping } from './mapping.ts';
import type { ClockChange } from './clock-change.ts';
import { compileCron } from './cron.ts';
import { listTouched } from './dst.ts';
import { findMomentFault, readMoment } from './moment.ts';
import type { Remark } from './remark.ts';
import { findTimezoneFault } from './timezone.ts';
import type { Calendar } from '../workflows/contract.ts';

const twoYearsMs = 2 * 366 * 86_400_000;

/**
 * Asks for `dst` where the clocks will skip or repeat a time of the schedule within two years. It takes the
 * frontmatter as it was read and leaves to the schema what is not well-formed.
 */
export function checkDst({ schedule }: Record<string, unknown>, now: Date): Remark[] {
  if (!isMapping(schedule)) return [];
  const { cron, timezone, dst, start, end } = schedule;
  if (dst !== undefined || typeof cron !== 'string' || typeof timezone !== 'string') return [];
  const compiled = compileCron(cron);
  if (!('calendars' in compiled) || findTimezoneFault(timezone)) return [];
  const { calendars } = compiled;
  const from = Math.max(now.getTime(), readEdge(start, timezone, 'start') ?? -Infinity);
  const until = Math.min(now.getTime() + twoYearsMs, readEdge(end, timezone, 'end') ?? Infinity);
  const ahead = listTouched(calendars, timezone, now.getUTCFullYear()).filter(({ at }) => at > from && at <= until);
  const skip = ahead.find(({ isSkip }) => isSkip);
  const repeat = ahead.find(({ isSkip }) => !isSkip);
  const [first] = ahead;
  if (!first) return [];
  const told = [skip, repeat].filter((change) => change !== undefined).sort((left, right) => left.at - right.at);
  const sentences = told.map((change) => describeChange(change, calendars));
  const message = `${timezone}: ${sentences.join('; ')}; say by \`dst\` what then`;
  return [{ path: ['schedule', 'timezone'], message, hint: describeChoices(calendars, skip, repeat) }];
}

function readEdge(text: unknown, timezone: string, edge: 'start' | 'end'): number | undefined {
  if (typeof text !== 'string' || findMomentFault(text)) return undefined;
  return Date.parse(readMoment(text, timezone, edge));
}

function describeChange({ isSkip, start, end }: ClockChange, calendars: readonly Calendar[]): string {
  const time = showTime(findFirst(calendars, start, end));
  const span = `${showTime(start)}-${showTime(end)}`;
  return `the clocks ${isSkip ? 'skip' : 'repeat'} ${span} on ${showDate(start)}, where this fires at ${time}`;
}

/** What each choice makes of the next skipped and the next repeated time. */
function describeChoices(
  calendars: readonly Calendar[],
  skip: ClockChange | undefined,
  repeat: ClockChange | undefined,
): string {
  const skipped = skip && findFirst(calendars, skip.start, skip.end);
  const later = skip && skipped !== undefined ? showTime(skipped + skip.after - skip.before) : '';
  const repeated = repeat && showTime(findFirst(calendars, repeat.start, repeat.end));
  const join = (inSkip: string, inRepeat: string): string =>
    [...(skip ? [inSkip] : []), ...(repeat ? [inRepeat] : [])].join(' and ');
  return [
    `\`skip\`: ${join('not at all on that day', `the first ${repeated} only`)}`,
    `\`once\`: ${join(`at ${later} instead`, `the first ${repeated} only`)}`,
    `\`both\`: ${join(`at ${later} instead`, `${repeated} both times`)}`,
  ].join('; ');
}

function findFirst(calendars: readonly Calendar[], start: number, end: number): number {
  return Math.min(...calendars.flatMap((calendar) => listMinutes(calendar, start, end)));
}

function showDate(local: number): string {
  return new Date(local).toISOString().slice(0, 10);
}

function showTime(local: number): string {
  return new Date(local).toISOString().slice(11, 16);
}
