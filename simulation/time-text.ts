import { parseDuration } from '../compiler/duration.ts';
import { parseDate } from '../compiler/moment.ts';
import type { Outage, OutageOf } from './outages.ts';
import type { Clock, Zone } from '../ticks/zone.ts';

/** A time that is wrong, and what would be right. */
export interface TimeFault {
  fault: string;
  allowed: string;
}

/** From an instant on and before another, in epoch milliseconds. */
export interface Span {
  fromMs: number;
  toMs: number;
}

type TimeOfDay = Pick<Clock, 'hour' | 'minute' | 'second'>;

const timePattern = String.raw`(?:(\d{4}-\d\d-\d\d)[T ])?(\d\d):(\d\d)(?::(\d\d))?`;
const momentForm = new RegExp(`^${timePattern}(Z|[+-]\\d\\d:\\d\\d)?$`);
const outageForm = new RegExp(`^(${timePattern}Z?)[-/](${timePattern}Z?)$`);
const defaultSpanMs = 86_400_000;

const allowedMoments =
  'Allowed: now, 02:50, 2026-03-29, 2026-03-29T02:50, each in the timezone of the definition, or 2026-03-29T02:50Z';
const allowedOutages =
  'Allowed: 02:50-03:20 or 2026-03-29T02:50-2026-03-29T03:20, in the timezone of the definition or with Z at both times';

/** Reads `--from` and `--to`: from now and for a day where they are left out. A time of day is today's, or the next one after `from`. */
export function readSpan(
  from: string | undefined,
  to: string | undefined,
  zone: Zone,
  nowMs: number,
): Span | TimeFault {
  const fromMs = from === undefined ? toSeconds(nowMs) : readMoment(from, zone, nowMs);
  if (fromMs === undefined) return { fault: `--from ${from} is not a time`, allowed: `${allowedMoments}.` };
  const toMs = to === undefined ? fromMs + defaultSpanMs : readEnd(to, zone, fromMs, nowMs);
  if (toMs === undefined) {
    return {
      fault: `--to ${to} is not a time`,
      allowed: `${allowedMoments}; or a span after --from, such as +24h or +7d.`,
    };
  }
  if (toMs > fromMs) return { fromMs, toMs };
  const times = `${new Date(toMs).toISOString()} is not after ${new Date(fromMs).toISOString()}`;
  return { fault: `the simulation ends before it begins: ${times}`, allowed: 'Name a --to after --from.' };
}

/** Reads one `--outage`. Times of day without a date are the first ones that reach into the span. */
export function readOutage(text: string, of: OutageOf, zone: Zone, span: Span): Outage | TimeFault {
  const [, startText = '', , , , , endText = ''] = outageForm.exec(text) ?? [];
  const start = parseTime(startText);
  const end = parseTime(endText);
  const isWhole = start !== undefined && end !== undefined && (start.isDated || !end.isDated);
  if (!isWhole) return { fault: `--outage ${text} is not a span of time`, allowed: `${allowedOutages}.` };
  const candidates = start.isDated
    ? [pairTimes(start, end, zone, zone.readClock(start.instantIn(zone, zone.readClock(0))))]
    : [-1, 0, 1, 2].map((days) => pairTimes(start, end, zone, addDays(zone.readClock(span.fromMs), days)));
  const isEmpty = candidates.every(({ fromMs, toMs }) => toMs <= fromMs);
  if (isEmpty) return { fault: `--outage ${text} ends before it begins`, allowed: `${allowedOutages}.` };
  const found = candidates.find(({ fromMs, toMs }) => toMs > fromMs && fromMs < span.toMs && toMs > span.fromMs);
  if (found !== undefined) return { of, ...found };
  const [first, last] = [span.fromMs, span.toMs].map((ms) => new Date(ms).toISOString());
  return { fault: `--outage ${text} is outside of the simulation`, allowed: `It runs from ${first} to ${last}.` };
}

/** The outage that begins on a day; an end that is not later in the day is on the day after. */
function pairTimes(start: Time, end: Time, zone: Zone, day: Clock): Span {
  const isOvernight = secondOfDay(end.ofDay) <= secondOfDay(start.ofDay);
  const endDay = isOvernight ? addDays(day, 1) : day;
  return { fromMs: start.instantIn(zone, day), toMs: end.instantIn(zone, endDay) };
}

function addDays(clock: Clock, days: number): Clock {
  return { ...clock, day: clock.day + days };
}

function secondOfDay({ hour, minute, second }: TimeOfDay): number {
  return hour * 3_600 + minute * 60 + second;
}

function readEnd(text: string, zone: Zone, fromMs: number, nowMs: number): number | undefined {
  if (text.startsWith('+')) {
    const duration = parseDuration(text.slice(1), true);
    return 'ms' in duration ? fromMs + duration.ms : undefined;
  }
  const time = parseTime(text);
  if (time === undefined || time.isDated) return readMoment(text, zone, nowMs);
  const day = zone.readClock(fromMs);
  const today = time.instantIn(zone, day);
  return today > fromMs ? today : time.instantIn(zone, addDays(day, 1));
}

function readMoment(text: string, zone: Zone, nowMs: number): number | undefined {
  if (text === 'now') return toSeconds(nowMs);
  const date = parseDate(text);
  if (date !== undefined) return zone.firstInstantOf({ ...date, hour: 0, minute: 0, second: 0 });
  return parseTime(text)?.instantIn(zone, zone.readClock(nowMs));
}

interface Time {
  ofDay: TimeOfDay;
  isDated: boolean;
  /** On its own date, or on this day where it names none. */
  instantIn(zone: Zone, day: Clock): number;
}

function parseTime(text: string): Time | undefined {
  const [matched, dateText, hours, minutes, seconds = '0', offset] = momentForm.exec(text) ?? [];
  if (matched === undefined) return undefined;
  const ofDay = { hour: Number(hours), minute: Number(minutes), second: Number(seconds) };
  const date = dateText === undefined ? undefined : parseDate(dateText);
  const isReal =
    ofDay.hour < 24 && ofDay.minute < 60 && ofDay.second < 60 && (dateText === undefined) === (date === undefined);
  // A time of day in another zone than the definition's would need a date to be one.
  if (!isReal || (date === undefined && offset !== undefined)) return undefined;
  const exactMs = offset === undefined ? undefined : Date.parse(text.replace(' ', 'T'));
  if (Number.isNaN(exactMs)) return undefined;
  return {
    ofDay,
    isDated: date !== undefined,
    instantIn: (zone, day) => exactMs ?? zone.firstInstantOf({ ...day, ...date, ...ofDay }),
  };
}

function toSeconds(instantMs: number): number {
  return Math.floor(instantMs / 1_000) * 1_000;
}
